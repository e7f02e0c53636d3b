import { readdirSync, readFileSync } from 'node:fs';
import process from 'node:process';

const MIB = 1024 * 1024;

/** Watches the resident memory of this process and of the engine's processes. */
export function watchMemory(): { stop(): number } {
  let peak = 0;
  const look = () => {
    peak = Math.max(peak, process.memoryUsage.rss() + enginesBytes());
  };
  const timer = setInterval(look, 200);
  look();
  return {
    /** Ends the watch. Returns the peak in MiB. */
    stop() {
      clearInterval(timer);
      return peak / MIB;
    },
  };
}

/** Resident bytes of the children of this process that are the engine; 0 where there is no /proc. */
function enginesBytes(): number {
  let bytes = 0;
  try {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) bytes += engineBytes(pid);
  } catch {
    return bytes;
  }
  return bytes;
}

function engineBytes(pid: string): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    if (!new RegExp(`^PPid:\\s+${process.pid}$`, 'm').test(status) || !/^Name:\s+engine$/m.test(status))
      return 0;
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
