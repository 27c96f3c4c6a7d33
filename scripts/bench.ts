/**
 * Measures, side by side in one run: `npm run bench`, or a part of it: `npm run bench --
 * scan`, `-- ours`, `-- fleet`, `-- programs`, `-- peers [SECONDS]`. Figures depend on the machine; the ratios
 * beside them less so. `dist/bench.json` has those of the peers as data.
 */
import { measureFleet } from './bench/fleet.ts';
import { measureOurs } from './bench/ours.ts';
import { measurePeers } from './bench/peers.ts';
import { measurePrograms } from './bench/programs.ts';
import { measureScan } from './bench/scan.ts';

const [part, seconds = '60'] = process.argv.slice(2);
const parts = ['scan', 'ours', 'peers', 'fleet', 'programs'];
if (part !== undefined && !parts.includes(part)) {
  console.error(`bench: there is no part ${part}; there are ${parts.join(', ')}`);
  process.exit(2);
}
if (part === undefined || part === 'peers') await measurePeers(Number(seconds));
if (part === undefined || part === 'ours') await measureOurs();
if (part === undefined || part === 'fleet') await measureFleet();
if (part === undefined || part === 'programs') await measurePrograms();
if (part === undefined || part === 'scan') await measureScan();
