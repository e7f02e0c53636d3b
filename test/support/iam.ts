import type { Template } from './cloudformation.ts';

/** A statement of a policy, with everything in lists. */
export interface Statement {
  sid: string;
  effect: 'Allow' | 'Deny';
  actions: string[];
  resources: string[];
  conditions: Record<string, Record<string, string[]>>;
}

/** A request to AWS, as policies see it. */
export interface AwsRequest {
  action: string;
  resource: string;
  /** Values of condition keys; a key that the request does not have is absent. */
  keys?: Readonly<Record<string, readonly string[]>>;
}

/** All statements of a role in a template. */
export function statementsOf(template: Template, role: string): Statement[] {
  const { Policies, ManagedPolicyArns } = (template.resources[role]?.Properties ?? {}) as {
    Policies?: { PolicyDocument: { Statement: Record<string, unknown>[] } }[];
    ManagedPolicyArns?: unknown;
  };
  if (!Policies || ManagedPolicyArns !== undefined) throw new Error(`${role} has policies not looked at`);
  return Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement).map((raw) => ({
    sid: String(raw.Sid),
    effect: raw.Effect as 'Allow' | 'Deny',
    actions: listOf(raw.Action),
    resources: listOf(raw.Resource),
    conditions: Object.fromEntries(
      Object.entries((raw.Condition ?? {}) as Record<string, Record<string, unknown>>).map(
        ([operator, keys]) => [
          operator,
          Object.fromEntries(Object.entries(keys).map(([key, values]) => [key, listOf(values)])),
        ],
      ),
    ),
  }));
}

/** Whether policies allow a request: some statement does, and none denies it. */
export function allows(statements: readonly Statement[], request: AwsRequest): boolean {
  const hits = statements.filter((statement) => concerns(statement, request));
  return hits.some(({ effect }) => effect === 'Allow') && !hits.some(({ effect }) => effect === 'Deny');
}

function concerns({ actions, resources, conditions }: Statement, request: AwsRequest): boolean {
  return (
    actions.some((pattern) => isLike(pattern.toLowerCase(), request.action.toLowerCase())) &&
    resources.some((pattern) => isLike(pattern, request.resource)) &&
    Object.entries(conditions).every(([operator, keys]) =>
      Object.entries(keys).every(([key, patterns]) => holds(operator, patterns, request.keys?.[key])),
    )
  );
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html */
function holds(
  operator: string,
  patterns: readonly string[],
  values: readonly string[] | undefined,
): boolean {
  switch (operator) {
    case 'Null':
      return patterns.includes(String(values === undefined));
    case 'ForAllValues:StringLike':
      // True as well when the request has no such key.
      return (values ?? []).every((value) => patterns.some((pattern) => isLike(pattern, value)));
    case 'StringLike':
      return values?.some((value) => patterns.some((pattern) => isLike(pattern, value))) ?? false;
    case 'NumericLessThanEquals':
      return values?.some((value) => patterns.some((pattern) => Number(value) <= Number(pattern))) ?? false;
    default:
      throw new Error(`there is no rule for ${operator}`);
  }
}

/** `*` stands for any characters, `?` for one. */
function isLike(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(text);
}

function listOf(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).map(String);
}
