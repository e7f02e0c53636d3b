import type { PatchType } from './client.ts';

/** Plain JSON. */
export const JSON_TYPE = 'application/json';

/** Metadata of one object alone; servers that cannot do it answer with the whole object. */
export const METADATA = `${JSON_TYPE};as=PartialObjectMetadata;g=meta.k8s.io;v=v1,${JSON_TYPE}`;

/** Metadata of a collection alone. */
export const METADATA_LIST = `${JSON_TYPE};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,${JSON_TYPE}`;

/** A server-side apply; JSON is YAML. */
export const APPLY = 'application/apply-patch+yaml';

/** Aggregated discovery, new form first; servers without it answer in the old form. */
export const DISCOVERY = ['v2', 'v2beta1']
  .map((version) => `${JSON_TYPE};g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`)
  .concat(JSON_TYPE)
  .join(',');

/** The media type of each patch. */
export const PATCH: Readonly<Record<PatchType, string>> = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
};
