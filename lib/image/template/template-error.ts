/** A template cannot be read or carried out; the message says where, as far as known. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
  /** Set when a field was used that its data no longer has: `.Updated`. */
  readonly missingField: string | undefined;

  constructor(message: string, missingField?: string) {
    super(message);
    this.missingField = missingField;
  }
}
