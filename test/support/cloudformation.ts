import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A resource of a template. */
export interface Resource {
  Type: string;
  Condition?: string;
  DeletionPolicy?: string;
  Properties: Record<string, unknown>;
}

/** A packaged template with its references resolved, as CloudFormation would create it. */
export interface Template {
  resources: Record<string, Resource>;
  outputs: Record<string, unknown>;
}

const PSEUDO: Readonly<Record<string, string>> = {
  'AWS::Partition': 'aws',
  'AWS::Region': 'eu-west-1',
  'AWS::AccountId': '123456789012',
  'AWS::URLSuffix': 'amazonaws.com',
  'AWS::StackName': 'stack',
};

/** Stands for what a condition leaves out. */
const NOTHING = Symbol('AWS::NoValue');

/** How the ARN of a resource is made from its name. */
const ARNS: Readonly<Record<string, (properties: Record<string, unknown>) => string>> = {
  'AWS::SQS::Queue': ({ QueueName }) => `arn:aws:sqs:eu-west-1:123456789012:${QueueName}`,
  'AWS::DynamoDB::Table': ({ TableName }) => `arn:aws:dynamodb:eu-west-1:123456789012:table/${TableName}`,
  'AWS::S3::Bucket': ({ BucketName }) => `arn:aws:s3:::${BucketName}`,
  'AWS::IAM::Role': ({ RoleName }) => `arn:aws:iam::123456789012:role/${RoleName}`,
  'AWS::SNS::Topic': ({ TopicName }) => `arn:aws:sns:eu-west-1:123456789012:${TopicName}`,
  'AWS::Lambda::Function': ({ FunctionName }) =>
    `arn:aws:lambda:eu-west-1:123456789012:function:${FunctionName}`,
};

/** Reads the template that osls packaged in a directory. */
export async function readTemplate(directory: string): Promise<Template> {
  const path = join(directory, 'cloudformation-template-update-stack.json');
  const raw = JSON.parse(await readFile(path, 'utf8')) as {
    Resources: Record<string, Resource>;
    Conditions?: Record<string, unknown>;
    Outputs?: Record<string, unknown>;
  };
  const resolve = resolverOf(raw.Resources, raw.Conditions ?? {});
  const kept = Object.entries(raw.Resources).filter(
    ([, { Condition }]) => Condition === undefined || resolve({ Condition }) === true,
  );
  return {
    resources: Object.fromEntries(kept.map(([id, resource]) => [id, resolve(resource) as Resource])),
    outputs: resolve(raw.Outputs ?? {}) as Record<string, unknown>,
  };
}

function resolverOf(
  resources: Record<string, Resource>,
  conditions: Record<string, unknown>,
): (value: unknown) => unknown {
  function attribute(id: string, name: string): unknown {
    const resource = resources[id];
    if (!resource) throw new Error(`the template refers to ${id}, which it does not have`);
    const properties = resolve(resource.Properties) as Record<string, unknown>;
    if (name === 'QueueName') return properties.QueueName;
    if (name !== 'Arn') return `${id}.${name}`;
    // Of others only that there is one is looked at.
    return ARNS[resource.Type]?.(properties) ?? `arn of ${id}`;
  }

  function reference(id: string): unknown {
    if (id === 'AWS::NoValue') return NOTHING;
    const pseudo = PSEUDO[id];
    if (pseudo !== undefined) return pseudo;
    const resource = resources[id];
    if (!resource) throw new Error(`the template refers to ${id}, which it does not have`);
    const { QueueName, TableName, BucketName, RoleName, FunctionName } = resource.Properties;
    return resolve(QueueName ?? TableName ?? BucketName ?? RoleName ?? FunctionName ?? id);
  }

  function substitute(text: string): string {
    return text.replace(/\$\{([^}]+)\}/g, (_, name: string) => {
      const [id = '', ...rest] = name.split('.');
      return String(rest.length > 0 ? attribute(id, rest.join('.')) : reference(id));
    });
  }

  function resolveFunction(name: string, argument: unknown): unknown {
    switch (name) {
      case 'Ref':
        return reference(argument as string);
      case 'Fn::Sub':
        return substitute(argument as string);
      case 'Fn::GetAtt': {
        const [id = '', attributeName = ''] =
          typeof argument === 'string' ? argument.split('.') : (argument as string[]);
        return attribute(id, attributeName);
      }
      case 'Fn::Join': {
        const [separator, parts] = argument as [string, unknown[]];
        return (resolve(parts) as unknown[]).join(separator);
      }
      case 'Fn::Equals': {
        const [left, right] = resolve(argument) as unknown[];
        return left === right;
      }
      case 'Fn::If': {
        const [condition, yes, no] = argument as [string, unknown, unknown];
        return resolve(resolve({ Condition: condition }) === true ? yes : no);
      }
      case 'Condition':
        return resolve(conditions[argument as string]);
      default:
        throw new Error(`there is no rule for ${name}`);
    }
  }

  function resolve(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(resolve).filter((item) => item !== NOTHING);
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value);
    const [only] = entries;
    if (entries.length === 1 && only) {
      const [name, argument] = only;
      const isCondition = name === 'Condition' && typeof argument === 'string';
      if (name === 'Ref' || name.startsWith('Fn::') || isCondition) return resolveFunction(name, argument);
    }
    return Object.fromEntries(
      entries.map(([key, item]) => [key, resolve(item)]).filter(([, item]) => item !== NOTHING),
    );
  }
  return resolve;
}
