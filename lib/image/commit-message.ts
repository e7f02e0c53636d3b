import { evaluateTemplate } from './template/evaluate.ts';
import { parseTemplate } from './template/parse.ts';
import { TemplateError } from './template/template-error.ts';
import { GoMap, GoStruct, type Value } from './template/values.ts';
import type { Change } from './update-files.ts';

/** What a commit message is made from. */
export interface MessageData {
  /** The ImageUpdateAutomation. */
  automation: { name: string; namespace: string };
  changes: readonly Change[];
  /** `spec.git.commit.messageTemplateValues`. */
  values: Readonly<Record<string, string>>;
}

/** The message without a template: Flux's. */
const DEFAULT_MESSAGE = 'Update from image update automation';
const MAX_TEMPLATE = 64 * 1024;
/** Longer messages are of no use to anybody. */
const MAX_MESSAGE = 256 * 1024;

/**
 * Makes the message of a commit.
 * @param template `spec.git.commit.messageTemplate`: a Go template over `.AutomationObject`, `.Changed` and `.Values`
 * @throws TemplateError saying what is wrong with it; `missingField` names a field that the data does not have
 * @see https://fluxcd.io/flux/components/image/imageupdateautomations/#message-template
 */
export function commitMessage(template: string | undefined, data: MessageData): string {
  if (template === undefined || template === '') return DEFAULT_MESSAGE;
  if (template.length > MAX_TEMPLATE)
    throw new TemplateError(`the template is longer than ${MAX_TEMPLATE} characters`);
  const message = evaluateTemplate(parseTemplate(template), templateData(data));
  if (message.length > MAX_MESSAGE)
    throw new TemplateError(`the message is longer than ${MAX_MESSAGE} characters`);
  return message;
}

/** Fields that templates of older versions used, and what to use instead. */
const REMOVED: Readonly<Record<string, string>> = {
  Updated: "the field '.Updated' was removed; use '.Changed'",
  ImageResult:
    "the field '.Changed.ImageResult' was removed; use '.Changed.FileChanges' or '.Changed.Objects'",
};

/** What to tell about a field that once was there; undefined for any other error. */
export function removedField(error: unknown): string | undefined {
  const name = error instanceof TemplateError ? error.missingField : undefined;
  return name !== undefined && Object.hasOwn(REMOVED, name) ? REMOVED[name] : undefined;
}

function templateData({ automation, changes, values }: MessageData): GoStruct {
  const files = grouped(changes, ({ file }) => file);
  return new GoStruct('source.TemplateData', {
    AutomationObject: new GoStruct(
      'types.NamespacedName',
      { Namespace: automation.namespace, Name: automation.name },
      { String: () => `${automation.namespace}/${automation.name}` },
    ),
    Changed: new GoStruct(
      'update.Result',
      { FileChanges: new GoMap([...files].map(([file, list]) => [file, byObject(list)])) },
      { Changes: () => distinct(changes).map(changeOf), Objects: () => byObject(changes) },
    ),
    Values: new GoMap(Object.entries(values)),
  });
}

function byObject(changes: readonly Change[]): GoMap {
  const groups = grouped(changes, ({ object }) => JSON.stringify(object));
  return new GoMap(
    [...groups.values()].map((list): [Value, Value] => [objectOf(list[0] as Change), list.map(changeOf)]),
  );
}

function objectOf({ object }: Change): GoStruct {
  const { apiVersion, kind, name, namespace } = object;
  const [typeMeta, nameMeta] = [`{${apiVersion} ${kind}}`, `{${name} ${namespace}}`];
  // Printed as a whole it shows that Flux's type consists of two others.
  return new GoStruct(
    'update.ObjectIdentifier',
    { APIVersion: apiVersion, Kind: kind, Name: name, Namespace: namespace },
    { String: () => `{{${typeMeta} ${nameMeta}}}` },
  );
}

function changeOf({ oldValue, newValue, setter }: Change): GoStruct {
  return new GoStruct('update.Change', { OldValue: oldValue, NewValue: newValue, Setter: setter });
}

function distinct(changes: readonly Change[]): Change[] {
  const keyOf = ({ oldValue, newValue, setter }: Change) => JSON.stringify([oldValue, newValue, setter]);
  return [...grouped(changes, keyOf).values()].map(([first]) => first as Change);
}

function grouped<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
