/**
 * Measures, side by side in one run: `npm run bench`, or `npm run bench -- scan` and
 * `npm run bench -- idle [MINUTES]` for one part. Figures depend on the machine; the
 * ratios beside them less so.
 */
import { measureIdle } from './bench/idle.ts';
import { measureScan } from './bench/scan.ts';

const [part, minutes] = process.argv.slice(2);
if (part === undefined || part === 'scan') await measureScan();
if (part === undefined || part === 'idle') await measureIdle(Number(minutes ?? 10));
if (part !== undefined && part !== 'scan' && part !== 'idle') {
  console.error(`bench: there is no part ${part}; there are scan and idle`);
  process.exit(2);
}
