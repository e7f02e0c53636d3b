import type { Document } from 'yaml';

/** What names an object in a file; empty where the file does not say. */
export interface ObjectIdentity {
  apiVersion: string;
  kind: string;
  name: string;
  namespace: string;
}

/**
 * The object that a place in a document belongs to: the document itself, or an item of a List.
 * @param keys from the document's root to the place
 */
export function identityAt(document: Document, keys: readonly (string | number)[]): ObjectIdentity {
  const own = identityBelow(document, []);
  if (!own.kind.endsWith('List') || keys[0] !== 'items' || typeof keys[1] !== 'number') return own;
  return identityBelow(document, ['items', keys[1]]);
}

function identityBelow(document: Document, above: readonly (string | number)[]): ObjectIdentity {
  const text = (...keys: string[]) => {
    const value: unknown = document.getIn([...above, ...keys]);
    return typeof value === 'string' ? value : '';
  };
  return {
    apiVersion: text('apiVersion'),
    kind: text('kind'),
    name: text('metadata', 'name'),
    namespace: text('metadata', 'namespace'),
  };
}
