/** An answer of AWS that is no success. The code is AWS's own, such as `ResourceNotFoundException`. */
export class AwsError extends Error {
  override readonly name = 'AwsError';
  readonly code: string;
  /** Of HTTP; 0 when there was no answer. */
  readonly status: number;

  constructor(code: string, status: number, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.status = status;
  }
}

/** https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html */
const BUSY =
  /Throttl|SlowDown|TooManyRequests|RequestLimitExceeded|ThroughputExceeded|ServiceUnavailable|InternalServiceError|InternalServerError|RequestTimeout/;

const UNACCEPTED =
  /^ExpiredToken|UnrecognizedClient|InvalidClientTokenId|InvalidAccessKeyId|InvalidSecurity|InvalidSignature|SignatureDoesNotMatch/;

/** Whether the same request may succeed in a moment: throttled, a fault of the service, or never answered. */
export function passes(error: unknown): boolean {
  if (!(error instanceof AwsError)) return false;
  const { code, status } = error;
  return status === 0 || status === 429 || status >= 500 || BUSY.test(code);
}

/** Whether AWS does not accept who calls, whatever the call. */
export function isUnaccepted(code: string): boolean {
  return UNACCEPTED.test(code);
}

/**
 * What an answer says is wrong. JSON services name it in `__type` or a header, with a namespace before it or a link behind; S3 in XML.
 * @param header `x-amzn-errortype`
 */
export function faultOf(service: string, status: number, header: string | null, text: string): AwsError {
  let type = header ?? '';
  let message = '';
  try {
    const body = JSON.parse(text) as { __type?: string; message?: string; Message?: string };
    type = body.__type ?? type;
    message = body.message ?? body.Message ?? '';
  } catch {
    type = /<Code>([^<]*)<\/Code>/.exec(text)?.[1] ?? type;
    message = /<Message>([^<]*)<\/Message>/.exec(text)?.[1] ?? '';
  }
  const code = type.replace(/^.*#/, '').replace(/:.*$/, '');
  const advice = isUnaccepted(code)
    ? '. AWS does not accept the credentials of this process; renew them'
    : '';
  return new AwsError(
    code,
    status,
    `${service} answered ${status}${code === '' ? '' : ` ${code}`}: ${message.replace(/\.$/, '')}${advice}`,
  );
}
