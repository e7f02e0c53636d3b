import process from 'node:process';
import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** What the demo prints, line by line, as things happen. */
export interface Story {
  /** The first lines. */
  open(title: string, subtitle: string): void;
  /** Begins a chapter; its lines count their time from here, or from `restart`. */
  chapter(title: string, explanation?: string): void;
  /** Counts the time of the chapter's lines from now on. */
  restart(): void;
  /** ms since the chapter began. */
  elapsed(): number;
  /** Something happened, seen now: who, and what. */
  event(who: string, what: string, kind?: 'good' | 'bad' | 'plain'): void;
  /** Something to know about what happened, without a time of its own. */
  aside(who: string, what: string): void;
  /** A fact of the set-up. */
  fact(name: string, value: string, note?: string): void;
  text(line: string): void;
  /** The conclusion of a chapter. */
  conclude(text: string): void;
  fail(text: string): void;
}

/** Writes to a stream; in colour on a terminal, unless NO_COLOR is set. */
export function tellStory(stream: NodeJS.WriteStream): Story {
  const coloured = stream.isTTY === true && !process.env.NO_COLOR;
  const style = (kind: Style, text: string) =>
    coloured ? styleText(kind, text, { validateStream: false }) : text;
  const kinds: Record<'good' | 'bad' | 'plain', (text: string) => string> = {
    good: (text) => style('green', text),
    bad: (text) => style('red', text),
    plain: (text) => text,
  };
  let began = performance.now();
  const elapsed = () => performance.now() - began;
  const write = (line: string) => void stream.write(`${line}\n`);

  return {
    open(title, subtitle) {
      write(`\n${style('bold', title)}\n${style('dim', subtitle)}`);
    },
    chapter(title, explanation) {
      write(`\n${style(['bold', 'cyan'], `▸ ${title}`)}`);
      if (explanation) write(style('dim', `  ${explanation}`));
      began = performance.now();
    },
    restart() {
      began = performance.now();
    },
    elapsed,
    event(who, what, kind = 'plain') {
      const time = `${(elapsed() / 1000).toFixed(2)} s`.padStart(9);
      write(`${style('dim', time)}  ${style('bold', who.padEnd(11))} ${kinds[kind](what)}`);
    },
    aside(who, what) {
      write(style('dim', `${' '.repeat(11)}${who.padEnd(11)} ${what}`));
    },
    fact(name, value, note) {
      write(`  ${style('bold', name.padEnd(12))} ${value}${note ? style('dim', `  ${note}`) : ''}`);
    },
    text(line) {
      write(line === '' ? '' : `  ${line}`);
    },
    conclude(text) {
      write(`  ${style('green', '✓')} ${text}`);
    },
    fail(text) {
      write(`\n${style(['bold', 'red'], '✗ ')}${text}`);
    },
  };
}
