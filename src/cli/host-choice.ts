/** Who waits: the sentinel wherever it can, else we ourselves. */
import { existsSync } from 'node:fs';
import { findSentinel } from '../system/sentinel-file.ts';

export type HostChoice =
  | { readonly kind: 'sentinel'; readonly path: string; readonly where: string; readonly reasons: readonly string[] }
  /** `why` in a few words; `reasons` in full. */
  | { readonly kind: 'resident'; readonly why: string; readonly reasons: readonly string[] };

export interface HostWishes {
  readonly isResident: boolean;
  readonly isOnce: boolean;
  readonly processTable: 'proc' | 'ps' | null;
}

export function chooseHost(wishes: HostWishes, environment: NodeJS.ProcessEnv): HostChoice {
  const why = whyNone(wishes);
  if (why !== null) return { kind: 'resident', why, reasons: [] };
  const search = findSentinel(environment);
  if (search.kind === 'found') return { ...search, kind: 'sentinel' };
  return { kind: 'resident', why: `no sentinel: ${search.reasons.join('; ')}`, reasons: search.reasons };
}

function whyNone({ isResident, isOnce, processTable }: HostWishes): string | null {
  if (isResident) return '--resident';
  if (isOnce) return '--once';
  if (processTable === 'ps') return '--process-table ps: who is told of by ps can only be asked for';
  return process.platform === 'linux' && !existsSync('/proc/self/stat') ? 'there is no /proc' : null;
}
