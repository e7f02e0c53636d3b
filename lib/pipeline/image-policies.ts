import { ReconcileError } from '../core/errors.ts';
import { describe } from '../core/object.ts';
import type { KubeClient } from '../kube/client.ts';
import type { LabelSelector } from '../toolkit/fields.ts';
import type { ImagePolicy } from '../toolkit/image-policy.ts';
import type { ImageRef } from '../toolkit/image-ref.ts';
import type { ImageUpdateAutomation } from '../toolkit/image-update-automation.ts';
import { IMAGE_POLICY } from './image-results.ts';
import type { WithStatus } from './status.ts';

/** A policy that has chosen an image. */
export interface ChosenPolicy {
  object: ImagePolicy;
  image: ImageRef;
}

/** The policies that an automation writes, sorted by name; those that have not chosen an image yet are left out. */
export async function chosenPolicies(
  client: KubeClient,
  automation: ImageUpdateAutomation,
): Promise<ChosenPolicy[]> {
  const namespace = automation.metadata.namespace ?? '';
  const labelSelector = queryOf(automation);
  const { items } = await client.list<WithStatus>(IMAGE_POLICY, {
    namespace,
    ...(labelSelector === '' ? {} : { labelSelector }),
  });
  return items
    .map((item) => item as unknown as ImagePolicy)
    .flatMap((object): ChosenPolicy[] => {
      const image = object.status?.latestRef;
      return image?.name && image.tag ? [{ object, image }] : [];
    })
    .sort((a, b) => (a.object.metadata.name < b.object.metadata.name ? -1 : 1));
}

/** What the status tells of them: each image by the name of its policy. */
export function observedPolicies(policies: readonly ChosenPolicy[]): Record<string, ImageRef> {
  return Object.fromEntries(
    policies.map(({ object, image: { name, tag, digest } }) => [
      object.metadata.name,
      { name, tag, ...(digest === undefined || digest === '' ? {} : { digest }) },
    ]),
  );
}

/** `spec.policySelector` as the API takes it in a query. @throws ReconcileError `InvalidPolicySelector` (stall) */
function queryOf(automation: ImageUpdateAutomation): string {
  const { metadata, spec } = automation;
  const { matchLabels = {}, matchExpressions = [] } = spec.policySelector ?? {};
  const labels = Object.entries(matchLabels).map(([key, value]) => `${checked(key)}=${checked(value)}`);
  return [...labels, ...matchExpressions.map(requirementOf)].join(',');

  function requirementOf({ key, operator, values = [] }: Expression): string {
    const list = values.map(checked).join(',');
    if (operator === 'Exists' && values.length === 0) return checked(key);
    if (operator === 'DoesNotExist' && values.length === 0) return `!${checked(key)}`;
    if (operator === 'In' && values.length > 0) return `${checked(key)} in (${list})`;
    if (operator === 'NotIn' && values.length > 0) return `${checked(key)} notin (${list})`;
    throw invalid(`${JSON.stringify(operator)} with ${values.length} values is no condition on a label`);
  }

  function checked(text: string): string {
    if (/^[A-Za-z0-9._/-]*$/.test(text) && text.length <= 317) return text;
    throw invalid(`${JSON.stringify(text.slice(0, 100))} can be no label`);
  }

  function invalid(problem: string): ReconcileError {
    const where = `spec.policySelector of ${describe({ kind: 'ImageUpdateAutomation', ...metadata })}`;
    return new ReconcileError('InvalidPolicySelector', `${where}: ${problem}`, { outcome: 'stall' });
  }
}

type Expression = NonNullable<LabelSelector['matchExpressions']>[number];
