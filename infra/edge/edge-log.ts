import type { Log, LogFields, LogLevel } from '../../lib/log.ts';
import { redactFields } from '../../lib/redact-fields.ts';

/** A log of JSON lines on the console, which is where a Worker's log goes; without credentials, as everywhere. */
export function edgeLog(fields: LogFields = {}): Log {
  const write =
    (level: Exclude<LogLevel, 'silent'>) =>
    (first: LogFields | string, second?: string): void => {
      const [own, message] = typeof first === 'string' ? [{}, first] : [first, second ?? ''];
      console[level](JSON.stringify({ level, ...redactFields({ ...fields, ...own, message }, []) }));
    };
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: (more) => edgeLog({ ...fields, ...more }),
  };
}
