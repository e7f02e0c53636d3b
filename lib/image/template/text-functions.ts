import { createHash } from 'node:crypto';
import { anyText, intOf, listOf, type TemplateFunction, textOf } from './arguments.ts';
import type { Budget } from './budget.ts';
import { TemplateError } from './template-error.ts';
import { GoMap, type Value } from './values.ts';

type Case = (text: string) => string;

/** Sprig's functions on texts. https://masterminds.github.io/sprig/strings.html */
export function textFunctions(budget: Budget): Readonly<Record<string, TemplateFunction>> {
  const one =
    (change: Case): TemplateFunction =>
    (text) =>
      change(textOf(text));
  return {
    hello: () => 'Hello!',
    toString: anyText,
    lower: one((text) => text.toLowerCase()),
    upper: one((text) => text.toUpperCase()),
    title: one((text) => text.replace(/(^|[^\p{L}\p{N}_'])(\p{L})/gu, (all) => all.toUpperCase())),
    untitle: one((text) => text.replace(/(^|\s)(\p{L})/gu, (all) => all.toLowerCase())),
    trim: one((text) => text.trim()),
    trimAll: (set, text) => trimSet(textOf(text), textOf(set), true, true),
    trimPrefix: (prefix, text) => stripPrefix(textOf(text), textOf(prefix)),
    trimSuffix: (suffix, text) => stripSuffix(textOf(text), textOf(suffix)),
    nospace: one((text) => text.replace(/\s+/g, '')),
    repeat: (count, text) => {
      const times = Math.max(0, intOf(count));
      budget.text(times * Math.max(1, textOf(text).length));
      return textOf(text).repeat(times);
    },
    substr: (from, to, text) => {
      const [start, end] = [intOf(from), intOf(to)];
      const whole = textOf(text);
      if (start < 0) return whole.slice(0, Math.max(0, end));
      return end < 0 || end > whole.length ? whole.slice(start) : whole.slice(start, end);
    },
    trunc: (count, text) => {
      const whole = textOf(text);
      const length = intOf(count);
      if (length < 0) return whole.length + length > 0 ? whole.slice(length) : whole;
      return whole.slice(0, length);
    },
    abbrev: (width, text) => {
      const [whole, max] = [textOf(text), intOf(width)];
      return max < 4 || whole.length <= max ? whole : `${whole.slice(0, max - 3)}...`;
    },
    abbrevboth: (offset, width, text) => abbreviate(textOf(text), intOf(offset), intOf(width)),
    initials: one((text) => (text.match(/(?<=^|\s)\S/g) ?? []).join('')),
    contains: (part, text) => textOf(text).includes(textOf(part)),
    hasPrefix: (part, text) => textOf(text).startsWith(textOf(part)),
    hasSuffix: (part, text) => textOf(text).endsWith(textOf(part)),
    quote: (...args) =>
      args
        .filter(isThere)
        .map((arg) => JSON.stringify(anyText(arg)))
        .join(' '),
    squote: (...args) =>
      args
        .filter(isThere)
        .map((arg) => `'${anyText(arg)}'`)
        .join(' '),
    cat: (...args) => args.filter(isThere).map(anyText).join(' '),
    indent: (spaces, text) => indent(budget, intOf(spaces), textOf(text)),
    nindent: (spaces, text) => `\n${indent(budget, intOf(spaces), textOf(text))}`,
    replace: (from, to, text) => {
      const [old, fresh, whole] = [textOf(from), textOf(to), textOf(text)];
      budget.text((whole.length + 1) * (fresh.length + 1));
      return whole.replaceAll(old, () => fresh);
    },
    plural: (single, many, count) => (intOf(count) === 1 ? textOf(single) : textOf(many)),
    snakecase: one((text) => words(text).join('_').toLowerCase()),
    kebabcase: one((text) => words(text).join('-').toLowerCase()),
    camelcase: one((text) => words(text).map(capital).join('')),
    swapcase: one((text) =>
      [...text]
        .map((letter) => (letter === letter.toUpperCase() ? letter.toLowerCase() : letter.toUpperCase()))
        .join(''),
    ),
    wrap: (width, text) => wrap(textOf(text), intOf(width), '\n'),
    wrapWith: (width, between, text) => wrap(textOf(text), intOf(width), textOf(between)),
    join: (between, list) =>
      Array.isArray(list) ? list.filter(isThere).map(anyText).join(textOf(between)) : anyText(list),
    split: (between, text) =>
      new GoMap(
        textOf(text)
          .split(textOf(between))
          .map((part, index) => [`_${index}`, part]),
      ),
    splitn: (between, count, text) =>
      new GoMap(
        splitAtMost(textOf(text), textOf(between), intOf(count)).map((part, index) => [`_${index}`, part]),
      ),
    splitList: (between, text) => textOf(text).split(textOf(between)),
    sortAlpha: (list) => listOf(list).map(anyText).sort(),
    toStrings: (list) => listOf(list).map(anyText),
    b64enc: one((text) => Buffer.from(text).toString('base64')),
    b64dec: one((text) => Buffer.from(text, 'base64').toString('utf8')),
    sha1sum: one((text) => createHash('sha1').update(text).digest('hex')),
    sha256sum: one((text) => createHash('sha256').update(text).digest('hex')),
    sha512sum: one((text) => createHash('sha512').update(text).digest('hex')),
    base: one((text) => pathParts(text).at(-1) ?? (text.startsWith('/') ? '/' : '.')),
    dir: one((text) => {
      const parts = pathParts(text).slice(0, -1).join('/');
      return text.startsWith('/') ? `/${parts}` : parts || '.';
    }),
    ext: one((text) => /\.[^./]*$/.exec(text)?.[0] ?? ''),
    clean: one((text) => clean(text)),
    isAbs: (text) => textOf(text).startsWith('/'),
    fail: (message) => {
      throw new TemplateError(textOf(message));
    },
  };
}

function isThere(value: Value): boolean {
  return value !== null && value !== undefined;
}

function trimSet(text: string, set: string, start: boolean, end: boolean): string {
  const letters = [...text];
  while (start && letters.length > 0 && set.includes(letters[0] ?? '')) letters.shift();
  while (end && letters.length > 0 && set.includes(letters.at(-1) ?? '')) letters.pop();
  return letters.join('');
}

function stripPrefix(text: string, prefix: string): string {
  return text.startsWith(prefix) ? text.slice(prefix.length) : text;
}

function stripSuffix(text: string, suffix: string): string {
  return suffix !== '' && text.endsWith(suffix) ? text.slice(0, -suffix.length) : text;
}

function indent(budget: Budget, spaces: number, text: string): string {
  const lines = text.split('\n');
  budget.text(Math.max(0, spaces) * lines.length);
  const before = ' '.repeat(Math.max(0, spaces));
  return lines.map((line) => before + line).join('\n');
}

/** `fooBar baz` as three words. */
function words(text: string): string[] {
  return text.match(/\p{Lu}+(?!\p{Ll})|\p{Lu}?[\p{Ll}\p{Nd}]+|\p{Nd}+/gu) ?? [];
}

function capital(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1).toLowerCase();
}

function wrap(text: string, width: number, between: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > Math.max(1, width)) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].join(between);
}

/** A part of a text from about an offset on, with dots where something was cut off. */
function abbreviate(text: string, offset: number, width: number): string {
  if (width < 4 || (offset > 0 && width < 7) || text.length <= width) return text;
  const room = width - 3;
  const start = Math.min(Math.max(0, offset), text.length - room);
  if (start <= 4) return `${text.slice(0, room)}...`;
  return start + room < text.length
    ? `...${text.slice(start, start + room - 3)}...`
    : `...${text.slice(-room)}`;
}

function splitAtMost(text: string, between: string, count: number): string[] {
  const parts = text.split(between);
  if (count < 1 || parts.length <= count) return count === 0 ? [] : parts;
  return [...parts.slice(0, count - 1), parts.slice(count - 1).join(between)];
}

function pathParts(text: string): string[] {
  return text.split('/').filter((part) => part !== '');
}

function clean(text: string): string {
  const kept: string[] = [];
  const root = text.startsWith('/');
  for (const part of pathParts(text)) {
    if (part === '.') continue;
    if (part === '..' && kept.length > 0 && kept.at(-1) !== '..') kept.pop();
    else if (part !== '..' || !root) kept.push(part);
  }
  return (root ? '/' : '') + kept.join('/') || '.';
}
