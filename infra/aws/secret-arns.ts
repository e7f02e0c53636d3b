import type { Arn } from './settings.ts';

/** References to secrets in AWS, and those that only a machine of the operator's could read. */
const IN_AWS = /^(aws-sm|ssm):(.+)$/s;
const ELSEWHERE = /^(env|file):\S/;

/** Parts of a fleet file, each with a name for messages. */
export type Parts = readonly (readonly [name: string, part: unknown])[];

/**
 * The resources behind all references to secrets in parts of a fleet file.
 * @param elsewhere secrets may also stand on a machine of the operator's, where the worker runs
 * @throws Error naming every reference that no function can read
 */
export function secretArns(parts: Parts, elsewhere = false): Arn[] {
  if (!elsewhere) refuseUnreadable(unreadable(parts));
  const arns = new Map<string, Arn>();
  for (const [, part] of parts)
    for (const text of textsOf(part)) {
      const [, scheme, id] = IN_AWS.exec(text) ?? [];
      if (scheme !== undefined && id !== undefined) arns.set(text, arnOf(scheme, id));
    }
  return [...new Map([...arns.values()].map((arn) => [JSON.stringify(arn), arn])).values()];
}

/** The references that only a machine of the operator's could read, each with the name of its part. */
export function unreadable(parts: Parts): string[] {
  return parts.flatMap(([name, part]) =>
    [...textsOf(part)].filter((text) => ELSEWHERE.test(text)).map((text) => `${name}: ${text}`),
  );
}

/** @throws Error naming all of them, when there are any */
export function refuseUnreadable(references: readonly string[]): void {
  if (references.length === 0) return;
  throw new Error(
    `no function on AWS can read these secrets; keep them in Secrets Manager (aws-sm:NAME) or SSM (ssm:/NAME):\n  ${[...new Set(references)].join('\n  ')}`,
  );
}

function arnOf(scheme: string, id: string): Arn {
  const [name = ''] = scheme === 'aws-sm' ? id.split('#') : [id];
  if (name.startsWith('arn:')) return name;
  // Secrets Manager ends the ARN of a secret with six characters of its own.
  const resource =
    scheme === 'aws-sm' ? `secretsmanager:\${AWS::Region}:\${AWS::AccountId}:secret:${name}-??????` : '';
  const parameter = `ssm:\${AWS::Region}:\${AWS::AccountId}:parameter/${name.replace(/^\//, '')}`;
  return { 'Fn::Sub': `arn:\${AWS::Partition}:${resource === '' ? parameter : resource}` };
}

function* textsOf(part: unknown): Generator<string> {
  if (typeof part === 'string') yield part;
  else if (typeof part === 'object' && part !== null)
    for (const value of Object.values(part)) yield* textsOf(value);
}
