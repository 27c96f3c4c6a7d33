/** What holds for the watchdog as a whole, whatever it watches. */
import { readRewrites } from './program-settings.ts';
import { choice, complain, duration, isOn, placeOf, type Reader, text } from './reader.ts';

export interface WatchdogSettings {
  readonly name: string | null;
  readonly processTable: 'proc' | 'ps' | null;
  readonly lingerMs: number;
  /** `null` for the default place, `-` for standard output. */
  readonly log: string | null;
  /** Where that was said. */
  readonly logPlace: string;
  readonly logFormat: 'text' | 'json';
  readonly isQuiet: boolean;
  readonly isResident: boolean;
  /** `null` for the default place, `off` for none. */
  readonly control: string | null;
  readonly controlPlace: string;
  /** `USER[:GROUP]`, as given. */
  readonly runAs: string | null;
  readonly runAsPlace: string;
  readonly trustsPaths: boolean;
  readonly ownPidFile: string | null;
  readonly ownPidFilePlace: string;
}

/** What holds for this run alone. */
export interface RunSettings {
  readonly isOnce: boolean;
  readonly isDryRun: boolean;
  readonly isDaemon: boolean;
  /** What the program of the command line gets in the place of a signal; without `SIG`. */
  readonly rewrites: Readonly<Record<string, string>>;
}

/** Reads it; what is wrong is noted by the reader. */
export function readWatchdog(reader: Reader): WatchdogSettings {
  const settings: WatchdogSettings = {
    name: text(reader, 'name'),
    processTable: choice(reader, 'process-table', ['proc', 'ps']),
    lingerMs: duration(reader, 'linger', 0),
    log: text(reader, 'log'),
    logPlace: placeOf(reader, 'log'),
    logFormat: choice(reader, 'log-format', ['text', 'json']) ?? 'text',
    isQuiet: isOn(reader, 'quiet'),
    isResident: isOn(reader, 'resident'),
    control: text(reader, 'control'),
    controlPlace: placeOf(reader, 'control'),
    runAs: text(reader, 'run-as'),
    runAsPlace: placeOf(reader, 'run-as'),
    trustsPaths: isOn(reader, 'trust-paths'),
    ownPidFile: text(reader, 'own-pid-file'),
    ownPidFilePlace: placeOf(reader, 'own-pid-file'),
  };
  if (settings.isQuiet && settings.log === '-') {
    complain(reader, 'quiet', 'contradicts --log -, which writes to standard output; leave one of them out');
  }
  return settings;
}

export function readRun(reader: Reader): RunSettings {
  const settings = {
    isOnce: isOn(reader, 'once'),
    isDryRun: isOn(reader, 'dry-run'),
    isDaemon: isOn(reader, 'daemon'),
    rewrites: readRewrites(reader),
  };
  if (settings.isDaemon && text(reader, 'log') === '-') {
    complain(reader, 'log', 'is standard output, which a watchdog in the background gives up; name a file');
  }
  if (settings.isDaemon && settings.isOnce) {
    complain(reader, 'once', 'contradicts --daemon, which watches on; leave one of them out');
  }
  return settings;
}
