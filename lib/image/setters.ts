/** The image that a policy has chosen: `status.latestRef` of an ImagePolicy. */
export interface ChosenImage {
  name: string;
  tag: string;
  /** Only where the policy reflects digests. */
  digest?: string;
}

/** A policy with the image it has chosen. */
export interface PolicyImage {
  namespace: string;
  name: string;
  image: ChosenImage;
}

/** What a marker names: the part of a policy's image that is written at the marked place. */
export interface Setter {
  /** `namespace:name` of the policy. */
  policy: string;
  part: 'image' | 'name' | 'tag' | 'digest';
  /** What is to stand there. */
  value: string;
}

/** `name:tag`, with `@digest` where there is one. */
export function formatImage({ name, tag, digest }: ChosenImage): string {
  return `${name}:${tag}${digest === undefined || digest === '' ? '' : `@${digest}`}`;
}

/** `namespace:name`, as markers spell it. */
export function policyKey(policy: Pick<PolicyImage, 'namespace' | 'name'>): string {
  return `${policy.namespace}:${policy.name}`;
}

/**
 * What each marker stands for: `ns:policy` the whole image, `ns:policy:name`, `:tag` and `:digest` one part of it. Without a reflected digest
 * the last of them is empty. https://fluxcd.io/flux/guides/image-update/#configure-image-update-for-custom-resources
 */
export function settersOf(policies: readonly PolicyImage[]): ReadonlyMap<string, Setter> {
  return new Map(
    policies.flatMap((policy): [string, Setter][] => {
      const key = policyKey(policy);
      const { name, tag, digest = '' } = policy.image;
      return [
        [key, { policy: key, part: 'image', value: formatImage(policy.image) }],
        [`${key}:name`, { policy: key, part: 'name', value: name }],
        [`${key}:tag`, { policy: key, part: 'tag', value: tag }],
        [`${key}:digest`, { policy: key, part: 'digest', value: digest }],
      ];
    }),
  );
}
