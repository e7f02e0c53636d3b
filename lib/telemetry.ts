import { type Attributes, metrics, SpanStatusCode, trace } from '@opentelemetry/api';
import { messageOf } from './core/errors.ts';

/** What may describe a span or a measurement; no secrets, and few different values where it is for metrics. */
export type TelemetryAttributes = Readonly<Record<string, string | number | boolean>>;

/**
 * Spans and metrics through OpenTelemetry's API: they cost nothing and go nowhere until an SDK is registered, for example with
 * `node --import @opentelemetry/auto-instrumentations-node/register`. https://opentelemetry.io/docs/languages/js
 */
export interface Telemetry {
  /** Runs something within a span, which ends with it; an error is noted and thrown on. */
  span<T>(name: string, attributes: TelemetryAttributes, act: () => Promise<T>): Promise<T>;
  /** Adds to a counter, such as `slipway.webhooks`. */
  count(name: string, attributes?: TelemetryAttributes, by?: number): void;
  /** Notes a duration in ms, such as `slipway.reconcile.duration`. */
  duration(name: string, ms: number, attributes?: TelemetryAttributes): void;
}

const SCOPE = 'slipway';

/** Telemetry through whatever SDK is registered when this is called. */
export function createTelemetry(): Telemetry {
  const tracer = trace.getTracer(SCOPE);
  const meter = metrics.getMeter(SCOPE);
  const counters = new Map<string, ReturnType<typeof meter.createCounter>>();
  const histograms = new Map<string, ReturnType<typeof meter.createHistogram>>();

  return {
    span: (name, attributes, act) =>
      tracer.startActiveSpan(name, { attributes: attributes as Attributes }, async (span) => {
        try {
          return await act();
        } catch (error) {
          span.setStatus({ code: SpanStatusCode.ERROR, message: messageOf(error) });
          throw error;
        } finally {
          span.end();
        }
      }),
    count(name, attributes = {}, by = 1) {
      const counter = counters.get(name) ?? meter.createCounter(name);
      counters.set(name, counter);
      counter.add(by, attributes as Attributes);
    },
    duration(name, ms, attributes = {}) {
      const histogram = histograms.get(name) ?? meter.createHistogram(name, { unit: 'ms' });
      histograms.set(name, histogram);
      histogram.record(ms, attributes as Attributes);
    },
  };
}
