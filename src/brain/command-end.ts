import { isSuccess } from '../core/death.ts';
import { describeDeath } from '../core/report.ts';
import type { Death } from '../core/types.ts';

/** What is wrong with how a command ended; `null` if nothing. */
export function explainEnd(how: Death): string | null {
  return isSuccess(how) ? null : describeDeath(how);
}
