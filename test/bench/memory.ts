import { readdirSync, readFileSync } from 'node:fs';
import process from 'node:process';

const MIB = 1024 * 1024;

/** How often new engine processes are looked for, in looks at the memory: walking /proc costs more than all the rest. */
const SEARCH_EVERY = 10;

/** Watches the resident memory of this process and of the engine's processes. */
export function watchMemory(): { stop(): number } {
  let peak = 0;
  let looks = 0;
  let engines: string[] = [];
  const look = () => {
    if (looks++ % SEARCH_EVERY === 0) engines = findEngines();
    const bytes = engines.reduce((sum, pid) => sum + residentBytes(pid), 0);
    peak = Math.max(peak, process.memoryUsage.rss() + bytes);
  };
  const timer = setInterval(look, 200);
  look();
  return {
    /** Ends the watch. Returns the peak in MiB. */
    stop() {
      clearInterval(timer);
      look();
      return peak / MIB;
    },
  };
}

/** The children of this process that are the engine; none where there is no /proc. */
function findEngines(): string[] {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isEngine(name));
  } catch {
    return [];
  }
}

function isEngine(pid: string): boolean {
  const [, name, parent] = /^\d+ \((.*)\) \S (\d+)/.exec(read(`/proc/${pid}/stat`)) ?? [];
  return name === 'engine' && Number(parent) === process.pid;
}

function residentBytes(pid: string): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) * 1024;
}

/** A file of /proc; empty when its process has ended. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
