import { isDeepStrictEqual } from 'node:util';
import { Environment, Optional } from '@marcbachmann/cel-js';

/** Stands for the name `sets` in expressions. */
class Sets {}

/** Stands for the name `base64` in expressions. */
class Base64 {}

/** Beyond any expression that people write, and small enough to be parsed in no time. */
const LIMITS = {
  maxAstNodes: 2_000,
  maxDepth: 60,
  maxListElements: 500,
  maxMapEntries: 500,
  maxCallArguments: 32,
};

/**
 * What Flux's expressions may use: CEL with optional types and the extension libraries for strings, lists, sets and encoders.
 * @param variables the names that an expression may use; undefined: any, each of unknown type
 * @see https://pkg.go.dev/github.com/google/cel-go/ext
 */
export function celEnvironment(variables: readonly string[] | undefined): Environment {
  const environment = new Environment({
    unlistedVariablesAreDyn: variables === undefined,
    homogeneousAggregateLiterals: true,
    enableOptionalTypes: true,
    limits: LIMITS,
  });
  addStrings(environment);
  addLists(environment);
  addSets(environment);
  addEncoders(environment);
  for (const name of variables ?? []) environment.registerVariable(name, 'dyn');
  return environment;
}

function addStrings(environment: Environment): void {
  environment
    .registerFunction('string.replace(string, string): string', (text: string, from: string, to: string) =>
      text.replaceAll(from, () => to),
    )
    .registerFunction(
      'string.replace(string, string, int): string',
      (text: string, from: string, to: string, limit: bigint) => replaceFirst(text, from, to, Number(limit)),
    )
    .registerFunction('string.charAt(int): string', (text: string, index: bigint) => {
      const characters = [...text];
      if (index < 0n || index > characters.length) throw new RangeError(`charAt: ${index} is out of range`);
      return characters[Number(index)] ?? '';
    })
    .registerFunction('string.reverse(): string', (text: string) => [...text].reverse().join(''));
}

function replaceFirst(text: string, from: string, to: string, limit: number): string {
  let left = limit < 0 ? Number.POSITIVE_INFINITY : limit;
  return text.replaceAll(from, (found) => (left-- > 0 ? to : found));
}

/** Part of the optional types of CEL since their second version. */
function addLists(environment: Environment): void {
  const at = (list: readonly unknown[], index: number) =>
    list.length === 0 ? Optional.none() : Optional.of(list.at(index));
  environment
    .registerFunction('list<A>.first(): optional<A>', (list: readonly unknown[]) => at(list, 0))
    .registerFunction('list<A>.last(): optional<A>', (list: readonly unknown[]) => at(list, -1));
}

function addSets(environment: Environment): void {
  const has = (list: readonly unknown[], value: unknown): boolean =>
    list.some((member) => isDeepStrictEqual(member, value));
  const containsAll = (list: readonly unknown[], sub: readonly unknown[]): boolean =>
    sub.every((value) => has(list, value));
  environment
    .registerType('Sets', { ctor: Sets, fields: {} })
    .registerConstant('sets', 'Sets', new Sets())
    .registerFunction('Sets.contains(list, list): bool', (_sets: Sets, a: unknown[], b: unknown[]) =>
      containsAll(a, b),
    )
    .registerFunction(
      'Sets.equivalent(list, list): bool',
      (_sets: Sets, a: unknown[], b: unknown[]) => containsAll(a, b) && containsAll(b, a),
    )
    .registerFunction('Sets.intersects(list, list): bool', (_sets: Sets, a: unknown[], b: unknown[]) =>
      a.some((value) => has(b, value)),
    );
}

function addEncoders(environment: Environment): void {
  environment
    .registerType('Base64', { ctor: Base64, fields: {} })
    .registerConstant('base64', 'Base64', new Base64())
    .registerFunction('Base64.encode(bytes): string', (_base64: Base64, bytes: Uint8Array) =>
      Buffer.from(bytes).toString('base64'),
    )
    .registerFunction(
      'Base64.decode(string): bytes',
      (_base64: Base64, text: string) => new Uint8Array(Buffer.from(text, 'base64')),
    );
}
