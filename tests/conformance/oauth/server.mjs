// An authorization server with GitLab's paths, strict to the standards: PKCE required, loopback redirects as RFC 8252 has them, refresh tokens
// that are replaced with every use, and the whole grant revoked when an old one comes back. With what Davit asks of
// GitLab's API here.
//
//   node server.mjs PORT CLIENT_SECRET
import Provider from 'oidc-provider';

const [port, secret] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const page = (form) => `<!doctype html>${form}`;
const provider = new Provider(issuer, {
  clients: [{
    client_id: 'davit-client',
    client_secret: secret,
    application_type: 'native',
    redirect_uris: ['http://127.0.0.1/davit/callback'],
    grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
    token_endpoint_auth_method: 'client_secret_post',
  }],
  scopes: ['openid', 'offline_access', 'api'],
  pkce: { required: () => true, methods: ['S256'] },
  // Shorter than what Davit lets a token live before it refreshes it: every use is a refresh.
  ttl: { AccessToken: 240, RefreshToken: 3600, Grant: 3600, Session: 3600, Interaction: 600, DeviceCode: 600, AuthorizationCode: 60 },
  issueRefreshToken: () => true,
  rotateRefreshToken: () => true,
  cookies: { keys: ['not a secret'] },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  features: {
    devInteractions: { enabled: false },
    deviceFlow: {
      enabled: true,
      userCodeInputSource: (ctx, form) => { ctx.body = page(form); },
      userCodeConfirmSource: (ctx, form) => { ctx.body = page(form); },
      successSource: (ctx) => { ctx.body = page('authorized'); },
    },
  },
  routes: { authorization: '/oauth/authorize', token: '/oauth/token', device_authorization: '/oauth/authorize_device', code_verification: '/device' },
});

// The person agrees to everything.
async function decide(ctx) {
  const { prompt, params } = await provider.interactionDetails(ctx.req, ctx.res);
  let result = { login: { accountId: 'ann' } };
  if (prompt.name === 'consent') {
    const grant = new provider.Grant({ accountId: 'ann', clientId: params.client_id });
    grant.addOIDCScope(params.scope);
    result = { consent: { grantId: await grant.save() } };
  }
  ctx.respond = false;
  await provider.interactionFinished(ctx.req, ctx.res, result, { mergeWithLastSubmission: true });
}

provider.use(async (ctx, next) => {
  if (ctx.path.startsWith('/interaction/')) return decide(ctx);
  const answers = {
    '/api/v4/user': (token) => ({ username: token.accountId }),
    '/api/v4/projects': () => [],
    '/oauth/token/info': (token) => ({ scope: [...token.scopes], expires_in: token.remainingTTL }),
  };
  if (!answers[ctx.path]) return next();
  const token = await provider.AccessToken.find((ctx.get('authorization') || '').replace(/^Bearer /, ''));
  if (!token?.isValid) {
    ctx.status = 401;
    ctx.body = { error: 'invalid_token' };
    return undefined;
  }
  ctx.body = answers[ctx.path](token);
  return undefined;
});
provider.listen(Number(port), '127.0.0.1');
