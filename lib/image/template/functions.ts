import type { TemplateFunction } from './arguments.ts';
import type { Budget } from './budget.ts';
import { builtins } from './builtins.ts';
import { decimalFunctions } from './decimal-functions.ts';
import { encodingFunctions } from './encoding-functions.ts';
import { mapFunctions } from './map-functions.ts';
import { regexFunctions } from './regex-functions.ts';
import { textFunctions } from './text-functions.ts';
import { valueFunctions } from './value-functions.ts';

/** Functions by name. */
export type Functions = Readonly<Record<string, TemplateFunction>>;

/** Other names that Sprig has for the same. Paths are those of any machine here, whatever the machine. */
const ALIASES: Readonly<Record<string, string>> = {
  trimall: 'trimAll',
  biggest: 'max',
  osBase: 'base',
  osClean: 'clean',
  osDir: 'dir',
  osExt: 'ext',
  osIsAbs: 'isAbs',
};

/** Functions with a twin whose errors end the template; here every error does. */
const WITH_MUST = [
  ...['append', 'chunk', 'compact', 'deepCopy', 'first', 'has', 'initial', 'last', 'merge'],
  ...['mergeOverwrite', 'prepend', 'push', 'rest', 'reverse', 'slice', 'toJson', 'toPrettyJson', 'toRawJson'],
  ...['uniq', 'without'],
];

/** Functions of Sprig that are left out, since what they make depends on when or where they run, or is made by chance. */
const LEFT_OUT = new Set([
  ...['ago', 'date', 'date_in_zone', 'date_modify', 'dateInZone', 'dateModify', 'duration', 'durationRound'],
  ...['htmlDate', 'htmlDateInZone', 'must_date_modify', 'mustDateModify', 'mustToDate', 'now', 'toDate'],
  ...[
    'unixEpoch',
    'randAlpha',
    'randAlphaNum',
    'randAscii',
    'randBytes',
    'randInt',
    'randNumeric',
    'shuffle',
  ],
  ...['uuidv4', 'env', 'expandenv', 'getHostByName', 'bcrypt', 'buildCustomCert', 'decryptAES', 'encryptAES'],
  ...[
    'derivePassword',
    'genCA',
    'genCAWithKey',
    'genPrivateKey',
    'genSelfSignedCert',
    'genSelfSignedCertWithKey',
  ],
  ...['genSignedCert', 'genSignedCertWithKey', 'htpasswd'],
]);

/**
 * What templates may call: Go's own functions and those of Sprig that give the same result for the same input. Left out are the ones that
 * need dates, randomness, keys or the network.
 */
export function functions(budget: Budget): Functions {
  const own: Record<string, TemplateFunction> = {
    ...builtins,
    ...textFunctions(budget),
    ...regexFunctions(budget),
    ...valueFunctions(budget),
    ...decimalFunctions,
    ...mapFunctions(budget),
    ...encodingFunctions,
  };
  const as = (name: string, other: string): [string, TemplateFunction][] => {
    const found = own[other];
    return found ? [[name, found]] : [];
  };
  return {
    ...own,
    ...Object.fromEntries(Object.entries(ALIASES).flatMap(([name, other]) => as(name, other))),
    ...Object.fromEntries(
      WITH_MUST.flatMap((name) => as(`must${name.slice(0, 1).toUpperCase()}${name.slice(1)}`, name)),
    ),
  };
}

/** Why there is no function of a name, as the end of a sentence. */
export function whyMissing(name: string): string {
  return LEFT_OUT.has(name)
    ? 'is left out of commit messages: what it makes depends on when or where it runs'
    : 'does not exist; there are those of Go templates and of Sprig';
}
