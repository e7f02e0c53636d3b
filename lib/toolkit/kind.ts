import type { z } from 'zod';

/** A column that `kubectl get` prints. */
export interface PrinterColumn {
  name: string;
  type: 'string' | 'date';
  jsonPath: string;
  /** 1: only with `-o wide`. */
  priority?: 1;
}

/** A Toolkit kind that is reconciled: its schema, and how the cluster knows it. */
export interface ToolkitKind<S extends z.ZodObject = z.ZodObject> {
  supported: true;
  group: string;
  kind: string;
  version: string;
  /** Lower-case plural, as in paths. */
  plural: string;
  shortNames: readonly string[];
  /** `kubectl get <category>` lists all kinds of a category. */
  categories: readonly string[];
  columns: readonly PrinterColumn[];
  schema: S;
}

/** A Toolkit kind that is known, but not reconciled. */
export interface UnsupportedKind {
  supported: false;
  group: string;
  kind: string;
  /** The newest version. */
  version: string;
}
