import { describe, expect, it } from 'vitest';
import { readEnvironment } from '../../../functions/aws/environment.ts';

const NEEDED = {
  SLIPWAY_TABLE: 'slipway-prod',
  SLIPWAY_BUCKET: 'slipway-prod-123456789012-eu-west-1',
  SLIPWAY_QUEUES: 'https://sqs.eu-west-1.amazonaws.com/123456789012/slipway-prod-',
};

describe('the environment of a function', () => {
  it('needs no more than the names of table, bucket and queues', () => {
    expect(readEnvironment({ ...NEEDED, PATH: '/bin' })).toEqual({
      fleet: 'slipway.yaml',
      table: NEEDED.SLIPWAY_TABLE,
      bucket: NEEDED.SLIPWAY_BUCKET,
      queues: NEEDED.SLIPWAY_QUEUES,
      cluster: undefined,
      directory: '/tmp/slipway',
      logLevel: 'info',
    });
  });

  it('names the fleet file, the cluster, the directory and what is logged', () => {
    const given = {
      ...NEEDED,
      SLIPWAY_FLEET: 'ssm:/fleet',
      SLIPWAY_CLUSTER: 'prod',
      SLIPWAY_DIRECTORY: '/mnt',
      SLIPWAY_LOG_LEVEL: 'debug',
    };
    expect(readEnvironment(given)).toMatchObject({
      fleet: 'ssm:/fleet',
      cluster: 'prod',
      directory: '/mnt',
      logLevel: 'debug',
    });
  });

  it('is refused with everything that is missing or wrong, and what it is for', () => {
    const given = {
      SLIPWAY_TABLE: '',
      SLIPWAY_QUEUES: 'sqs.eu-west-1.amazonaws.com',
      SLIPWAY_CLUSTER: '',
      SLIPWAY_LOG_LEVEL: 'loud',
    };
    expect(() => readEnvironment(given)).toThrow(
      [
        'the environment does not name an installation on AWS:',
        'SLIPWAY_TABLE is empty. Name of the DynamoDB table.',
        'SLIPWAY_BUCKET is not set. Name of the S3 bucket for artifacts.',
        'SLIPWAY_QUEUES is no URL. What the URLs of all queues begin with, such as https://sqs.eu-west-1.amazonaws.com/123456789012/slipway-prod-.',
        'SLIPWAY_CLUSTER is empty. The one cluster whose jobs are done; set for the reconcile function alone.',
        'SLIPWAY_LOG_LEVEL is none of debug, info, warn and error. What is logged.',
      ].join('\n'),
    );
  });
});
