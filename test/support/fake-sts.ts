/** What AWS's STS answers: roles that can be assumed, and tokens of OpenID Connect. Its answers are XML, as AWS's are. */

/** A role that somebody may assume. */
export interface FakeRole {
  /** What its trust policy asks for. */
  externalId?: string;
  /** When the next session ends, in ISO 8601. */
  expiration: string;
}

/** What it holds, and what was asked. */
export interface FakeSts {
  /** By ARN. */
  roles: Map<string, FakeRole>;
  /** Of each session that was given out, its secret key and token, by its access key. */
  sessions: Map<string, { secretKey: string; token: string }>;
  /** The forms of all requests. */
  requests: Record<string, string>[];
  /** The token that `GetWebIdentityToken` gives; undefined: the account has that switched off. */
  webIdentity: string | undefined;
  /** @returns status and body */
  answer(form: string): [status: number, body: string];
}

/** Makes one without roles. */
export function fakeSts(): FakeSts {
  const roles = new Map<string, FakeRole>();
  const sessions: FakeSts['sessions'] = new Map();
  const requests: FakeSts['requests'] = [];
  const fault = (code: string): [number, string] => [
    code === 'AccessDenied' ? 403 : 400,
    `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>refused</Message></Error></ErrorResponse>`,
  ];
  function assume({
    RoleArn = '',
    RoleSessionName = '',
    ExternalId,
  }: Record<string, string>): [number, string] {
    const role = roles.get(RoleArn);
    if (!role || role.externalId !== ExternalId) return fault('AccessDenied');
    if (!/^[\w+=,.@-]{2,64}$/.test(RoleSessionName)) return fault('ValidationError');
    const number = sessions.size + 1;
    const session = { secretKey: `secret/of+session-${number}`, token: `token/of+session-${number}==` };
    sessions.set(`ASIASESSION${number}`, session);
    return [
      200,
      `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleResult>
    <AssumedRoleUser><Arn>x</Arn><AssumedRoleId>y</AssumedRoleId></AssumedRoleUser>
    <Credentials>
      <AccessKeyId>ASIASESSION${number}</AccessKeyId>
      <SecretAccessKey>${session.secretKey}</SecretAccessKey>
      <SessionToken>
        ${session.token}
      </SessionToken>
      <Expiration>${role.expiration}</Expiration>
    </Credentials>
  </AssumeRoleResult>
</AssumeRoleResponse>`,
    ];
  }
  const sts: FakeSts = {
    roles,
    sessions,
    requests,
    webIdentity: undefined,
    answer(text) {
      const form = Object.fromEntries(new URLSearchParams(text));
      requests.push(form);
      if (form.Version !== '2011-06-15') return fault('InvalidAction');
      if (form.Action === 'AssumeRole') return assume(form);
      if (form.Action !== 'GetWebIdentityToken') return fault('InvalidAction');
      if (sts.webIdentity === undefined) return fault('OutboundWebIdentityFederationDisabled');
      return [
        200,
        `<GetWebIdentityTokenResponse><GetWebIdentityTokenResult><Expiration>2026-01-01T00:05:00Z</Expiration><WebIdentityToken>${sts.webIdentity}</WebIdentityToken></GetWebIdentityTokenResult></GetWebIdentityTokenResponse>`,
      ];
    },
  };
  return sts;
}
