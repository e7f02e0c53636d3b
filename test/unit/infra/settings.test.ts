import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import {
  checkSecrets,
  clusterSettings,
  coreSettings,
  type FleetDocument,
  fleetOfWebhook,
} from '../../../infra/aws/settings.ts';
import { loadFleet } from '../../../lib/fleet/load-fleet.ts';

const SOURCE = 'source: {url: https://github.com/acme/fleet.git}';

function open(text: string) {
  return {
    fleet: loadFleet(text, { path: '/etc/slipway/slipway.yaml' }),
    document: parse(text) as FleetDocument,
  };
}

describe('settings of the stacks', () => {
  test('name every secret that no function could read, all at once', () => {
    const { fleet, document } = open(`aws: {region: eu-west-1}
clusters: [{name: prod, kubeconfig: "file:./prod.kubeconfig", ${SOURCE}}]
providers: [{name: hub, type: github, token: env:TOKEN, webhookSecrets: [env:A, aws-sm:b]}]
`);
    expect(() => checkSecrets(fleet)).toThrow(
      /aws-sm:NAME.*\n {2}hub: env:A\n {2}hub: env:TOKEN\n {2}prod: file:\.\/prod\.kubeconfig$/s,
    );
    expect(() => coreSettings(fleet)).toThrow(/aws-sm:NAME.*\n {2}hub: env:A$/s);
    expect(() => clusterSettings(fleet, 'prod', document)).toThrow(
      /prod: file:\.\/prod\.kubeconfig\n {2}hub: env:TOKEN$/,
    );
  });

  test('let a worker of your own read its secrets where it runs', () => {
    const { fleet, document } = open(`aws: {region: eu-west-1}
clusters: [{name: prod, kubeconfig: "file:./prod.kubeconfig", ${SOURCE}, aws: {worker: ["arn:aws:iam::123456789012:role/x"]}}]
`);
    expect(clusterSettings(fleet, 'prod', document)).toMatchObject({ worker: 'own', secrets: [] });
    expect(() => checkSecrets(fleet)).not.toThrow();
  });

  test('give the ARN of a secret by its name, its ARN or its field, once each', () => {
    const arn = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:hub-AbCdEf';
    const { fleet } = open(`aws: {region: eu-west-1}
providers: [{name: hub, type: github, token: "aws-sm:${arn}", webhookSecrets: ["aws-sm:hooks#hub", "ssm:/slipway/hook"]},
  {name: lab, type: gitlab, webhookSecrets: ["aws-sm:hooks#lab"]}]
`);
    const { webhookSecrets, providerSecrets } = coreSettings(fleet);
    expect(providerSecrets).toEqual([arn]);
    expect(JSON.stringify(webhookSecrets)).toMatch(/secret:hooks-\?{6}.*parameter\/slipway\/hook/);
    expect(webhookSecrets).toHaveLength(2);
  });

  test('say what to add when the fleet file does not speak of AWS, and which clusters there are', () => {
    const { fleet, document } = open(`clusters: [{name: prod, kubeconfig: aws-sm:prod, ${SOURCE}}]\n`);
    expect(() => coreSettings(fleet)).toThrow(/slipway\.yaml has no section aws: add/);
    const other = open(
      `aws: {region: eu-west-1}\nclusters: [{name: prod, kubeconfig: aws-sm:prod, ${SOURCE}}]\n`,
    );
    expect(() => clusterSettings(other.fleet, 'nope', document)).toThrow(/no cluster nope/);
  });

  test('refuse what no parameter could hold', () => {
    const allow = Array.from({ length: 500 }, (_, index) => `host-${index}.example.com`);
    const { fleet, document } = open(`aws: {region: eu-west-1}
network: {allow: ${JSON.stringify(allow)}}
clusters: [{name: prod, kubeconfig: aws-sm:prod, ${SOURCE}}]
`);
    expect(() => clusterSettings(fleet, 'prod', document)).toThrow(/bytes, a parameter holds 8192/);
  });

  test('leave a fleet file for each worker and for webhooks that can be read, without what is not theirs', () => {
    const { fleet, document } = open(`aws: {region: eu-west-1}
clusters: [{name: a, kubeconfig: aws-sm:a, ${SOURCE}}, {name: b, kubeconfig: aws-sm:b, ${SOURCE}}]
providers: [{name: hub, type: github, token: aws-sm:t, webhookSecrets: [aws-sm:w]}]
`);
    const own = loadFleet(clusterSettings(fleet, 'a', document).fleet, { path: '/a' });
    expect(own.clusters.map(({ name }) => name)).toEqual(['a']);
    expect(own.providers.map(({ webhookSecrets }) => webhookSecrets)).toEqual([[]]);
    expect(fleetOfWebhook(document)).not.toHaveProperty('clusters');
  });

  test('keep reserved concurrency away from accounts that have none to give', () => {
    expect(
      coreSettings(open('aws: {region: eu-west-1, reservedConcurrency: 0}').fleet).reservedConcurrency,
    ).toBeNull();
  });
});
