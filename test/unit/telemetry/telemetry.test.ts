import {
  type Attributes,
  type MeterProvider,
  metrics,
  type Span,
  type SpanStatus,
  type TracerProvider,
  trace,
} from '@opentelemetry/api';
import { afterEach, describe, expect, it } from 'vitest';
import { createTelemetry } from '../../../lib/telemetry.ts';

interface Seen {
  name: string;
  attributes: Attributes;
  status?: SpanStatus;
  ended: boolean;
}

/** Registers an SDK that only writes down what it is told. */
function register() {
  const spans: Seen[] = [];
  const measured: [name: string, value: number, attributes: Attributes | undefined][] = [];
  const tracer = {
    startActiveSpan(
      name: string,
      { attributes = {} }: { attributes?: Attributes },
      act: (span: Span) => unknown,
    ) {
      const seen: Seen = { name, attributes, ended: false };
      spans.push(seen);
      const span = {
        setStatus: (status: SpanStatus) => {
          seen.status = status;
        },
        end: () => {
          seen.ended = true;
        },
      };
      return act(span as unknown as Span);
    },
  };
  const instrument = (name: string) => {
    const note = (value: number, attributes?: Attributes) => measured.push([name, value, attributes]);
    return { add: note, record: note };
  };
  const meter = { createCounter: instrument, createHistogram: instrument };
  trace.setGlobalTracerProvider({ getTracer: () => tracer } as unknown as TracerProvider);
  metrics.setGlobalMeterProvider({ getMeter: () => meter } as unknown as MeterProvider);
  return { spans, measured };
}

describe('createTelemetry', () => {
  afterEach(() => {
    trace.disable();
    metrics.disable();
  });

  it('does nothing but the work while no SDK is registered', async () => {
    const telemetry = createTelemetry();
    telemetry.count('slipway.webhooks');
    telemetry.duration('slipway.reconcile.duration', 5);
    expect(await telemetry.span('reconcile', {}, async () => 7)).toBe(7);
  });

  it('ends each span with its work and tells how it went, without credentials', async () => {
    const { spans } = register();
    const telemetry = createTelemetry();
    await telemetry.span('fetch', { cluster: 'staging' }, async () => undefined);
    const failing = telemetry.span('apply', {}, () =>
      Promise.reject(new Error('https://me:hunter22@h/ is away')),
    );
    await expect(failing).rejects.toThrow('is away');
    expect(spans).toEqual([
      { name: 'fetch', attributes: { cluster: 'staging' }, ended: true },
      { name: 'apply', attributes: {}, ended: true, status: { code: 2, message: 'https://***@h/ is away' } },
    ]);
  });

  it('counts and measures under one instrument a name', () => {
    const { measured } = register();
    const telemetry = createTelemetry();
    telemetry.count('slipway.webhooks', { provider: 'hub' });
    telemetry.count('slipway.webhooks', { provider: 'hub' }, 2);
    telemetry.duration('slipway.reconcile.duration', 12.5, { result: 'success' });
    expect(measured).toEqual([
      ['slipway.webhooks', 1, { provider: 'hub' }],
      ['slipway.webhooks', 2, { provider: 'hub' }],
      ['slipway.reconcile.duration', 12.5, { result: 'success' }],
    ]);
  });
});
