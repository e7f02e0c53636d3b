import type { PatchType } from './client.ts';
import { APPLY, DISCOVERY, JSON_TYPE, METADATA, METADATA_LIST, PATCH } from './media-types.ts';

/** Whom to impersonate. */
export interface Identity {
  user: string;
  groups: readonly string[];
}

/** The headers of each kind of request, names and values in turn; made once a client. */
export type KindHeaders = Readonly<
  Record<
    'json' | 'metadata' | 'metadataList' | 'discovery' | 'apply' | Exclude<PatchType, 'json'> | 'jsonPatch',
    readonly string[]
  >
>;

/**
 * Prepares the headers of a client.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation
 */
export function identityHeaders(identity: Identity | undefined, userAgent: string): KindHeaders {
  const common = ['user-agent', userAgent];
  if (identity) {
    common.push('impersonate-user', identity.user);
    for (const group of identity.groups) common.push('impersonate-group', group);
  }
  const of = (accept: string, contentType = JSON_TYPE): string[] => [
    ...common,
    'accept',
    accept,
    'content-type',
    contentType,
  ];
  return {
    json: of(JSON_TYPE),
    metadata: of(METADATA),
    metadataList: of(METADATA_LIST),
    discovery: of(DISCOVERY),
    apply: of(JSON_TYPE, APPLY),
    merge: of(JSON_TYPE, PATCH.merge),
    strategic: of(JSON_TYPE, PATCH.strategic),
    jsonPatch: of(JSON_TYPE, PATCH.json),
  };
}
