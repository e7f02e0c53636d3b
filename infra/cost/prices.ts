/**
 * What AWS charges in us-east-1, in US dollars, without the free tier. Other regions differ by up to a quarter. Prices change: look at the
 * pages before you rely on a sum.
 */
export const PRICES_AS_OF = '2025-12';

/** A price and the page of AWS that lists it. */
interface Price {
  usd: number;
  unit: string;
  source: string;
}

export const PRICES = {
  lambdaSeconds: {
    usd: 0.0000133334,
    unit: 'GB-second, arm64',
    source: 'https://aws.amazon.com/lambda/pricing/',
  },
  lambdaRequests: { usd: 0.2e-6, unit: 'request', source: 'https://aws.amazon.com/lambda/pricing/' },
  sqsFifo: { usd: 0.5e-6, unit: 'request', source: 'https://aws.amazon.com/sqs/pricing/' },
  sqsStandard: { usd: 0.4e-6, unit: 'request', source: 'https://aws.amazon.com/sqs/pricing/' },
  dynamoReads: {
    usd: 0.125e-6,
    unit: 'read unit (4 KB)',
    source: 'https://aws.amazon.com/dynamodb/pricing/on-demand/',
  },
  dynamoWrites: {
    usd: 0.625e-6,
    unit: 'write unit (1 KB)',
    source: 'https://aws.amazon.com/dynamodb/pricing/on-demand/',
  },
  logs: { usd: 0.5, unit: 'GB', source: 'https://aws.amazon.com/cloudwatch/pricing/' },
  alarms: { usd: 0.1, unit: 'alarm and month', source: 'https://aws.amazon.com/cloudwatch/pricing/' },
  secrets: { usd: 0.4, unit: 'secret and month', source: 'https://aws.amazon.com/secrets-manager/pricing/' },
  secretReads: {
    usd: 5e-6,
    unit: 'read of a secret',
    source: 'https://aws.amazon.com/secrets-manager/pricing/',
  },
} as const satisfies Record<string, Price>;
