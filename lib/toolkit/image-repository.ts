import * as z from 'zod';
import { parseDuration } from '../core/duration.ts';
import { Duration, LocalReference, Metadata, ShortDuration, StringMap, Time } from './fields.ts';
import { intervalOf } from './intervals.ts';
import { commonStatus } from './status.ts';

const AccessFrom = z
  .strictObject({
    namespaceSelectors: z
      .array(
        z
          .strictObject({
            matchLabels: StringMap.describe('Labels that a namespace carries.').exactOptional(),
          })
          .describe('Namespaces by their labels; an empty selector stands for all.'),
      )
      .describe('The namespaces that have access: those that one of these selects.'),
  })
  .describe('Which other namespaces may refer to the object.');
export type AccessFrom = z.infer<typeof AccessFrom>;

const Spec = z
  .strictObject({
    image: z.string().describe('The image without tag, such as ghcr.io/owner/app.'),
    interval: Duration.describe(
      'How often all tags are listed. A registry webhook is heeded at once, for the tag it names.',
    ),
    timeout: ShortDuration.describe('Limit of time for a scan; interval by default.').exactOptional(),
    secretRef: LocalReference.describe(
      'Secret of type kubernetes.io/dockerconfigjson with credentials of the registry.',
    ).exactOptional(),
    proxySecretRef: LocalReference.describe(
      'Secret with the address and credentials of a proxy.',
    ).exactOptional(),
    serviceAccountName: z
      .string()
      .max(253)
      .describe('ServiceAccount whose image pull secrets, or whose cloud identity, open the registry.')
      .exactOptional(),
    certSecretRef: LocalReference.describe(
      'Secret with ca.crt, a certificate authority to trust, or with tls.crt and tls.key, a client certificate, or with both.',
    ).exactOptional(),
    suspend: z.boolean().describe('Leave the image alone until this is removed.').exactOptional(),
    accessFrom: AccessFrom.describe(
      'Which other namespaces may have policies for this image; none by default.',
    ).exactOptional(),
    exclusionList: z
      .array(z.string())
      .max(25)
      .default(['^.*\\.sig$'])
      .describe('Regular expressions of tags that are left out, by default the signatures of Cosign.'),
    provider: z
      .enum(['generic', 'aws', 'azure', 'gcp'])
      .default('generic')
      .describe(
        'How to authenticate: by a secret (generic), or by an identity of AWS, Azure or Google Cloud.',
      ),
    insecure: z.boolean().describe('Allow a registry without TLS.').exactOptional(),
  })
  .describe('The image to look for, where and how often.');

const ScanResult = z
  .looseObject({
    revision: z.string().describe('Checksum of the list of tags.').exactOptional(),
    tagCount: z.int().describe('How many tags there are, without those left out.'),
    scanTime: Time.describe('When the tags were listed last.').exactOptional(),
    latestTags: z.array(z.string()).describe('The last tags of the list, at most ten.').exactOptional(),
  })
  .describe('What the last scan found.');

const Status = z
  .looseObject({
    ...commonStatus,
    canonicalImageName: z
      .string()
      .describe('The name of the image with its registry, such as index.docker.io/library/alpine.')
      .exactOptional(),
    lastScanResult: ScanResult.exactOptional(),
    observedExclusionList: z
      .array(z.string())
      .describe('spec.exclusionList as it was at the last scan.')
      .exactOptional(),
  })
  .describe('What was observed.');

/** An image whose tags are followed. https://fluxcd.io/flux/components/image/imagerepositories/ */
export const ImageRepository = z
  .strictObject({
    apiVersion: z.literal('image.toolkit.fluxcd.io/v1'),
    kind: z.literal('ImageRepository'),
    metadata: Metadata,
    spec: Spec,
    status: Status.exactOptional(),
  })
  .describe('An image in a registry whose tags are looked for.');
export type ImageRepository = z.infer<typeof ImageRepository>;

/** The limit of a scan in ms: `timeout`, or `interval`. */
export function scanTimeoutOf(repository: ImageRepository): number {
  const { timeout } = repository.spec;
  return (timeout === undefined ? undefined : parseDuration(timeout)) ?? intervalOf(repository);
}
