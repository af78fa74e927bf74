// Sign-in: with an API token, or with the code of a one-time link, which stands in the address after the #.
import { useEffect, useState } from 'preact/hooks';
import { signIn } from '../api/client';
import { adviceFor, isTransient } from '../api/errors';
import { TextField } from '../ui/fields';
import { useAction, useTitle } from '../ui/hooks';
import { Brand } from '../ui/icons';
import { Button, Note } from '../ui/parts';
import { navigate, useLocation } from '../ui/router';

function codeInAddress(): string {
  return new URLSearchParams(location.hash.slice(1)).get('code') ?? '';
}

export function SignInPage({ ended }: { ended: boolean }) {
  useTitle('Sign in');
  const { path } = useLocation();
  const [token, setToken] = useState('');
  const [code] = useState(codeInAddress);
  const [tried, setTried] = useState(false);
  const enter = () => {
    if (path === '/sign-in') navigate('/builds', 'replace');
  };
  const withCode = useAction(async () => {
    await signIn({ code });
    enter();
  });
  const withToken = useAction(async () => {
    if (token.trim() === '') return;
    await signIn({ token: token.trim() });
    setToken('');
    enter();
  });
  useEffect(() => {
    if (!code) return;
    // The code works once; it need not stay in the address or the history.
    history.replaceState(null, '', location.pathname);
    void withCode.run();
  }, []);

  const error = withToken.error ?? withCode.error;
  return (
    <main class="sign-in" id="main">
      <div class="sign-in-card">
        <div class="brand"><Brand /><span>Davit</span></div>
        <h1>Sign in</h1>
        {ended && !error && <Note tone="warn"><p>Your session has ended. Sign in again to go on where you were.</p></Note>}
        {withCode.busy && <p role="status">Signing in with your link…</p>}
        {withCode.error && !withToken.error && (
          <div class="note bad" role="alert">
            <div class="grow">
              <p><strong>{isTransient(withCode.error.code) ? withCode.error.message : 'This link does not work any more.'}</strong></p>
              <p>{isTransient(withCode.error.code) ? adviceFor(withCode.error.code) : 'A link works once and for ten minutes. Get a new one where Davit runs, or sign in with an API token.'}</p>
            </div>
            {isTransient(withCode.error.code) && <Button small onClick={() => void withCode.run()}>Try again</Button>}
          </div>
        )}
        {withToken.error && (
          <div class="note bad" role="alert">
            <div class="grow">
              <p><strong>{withToken.error.code === 'UNAUTHENTICATED' ? 'This token is not known, has expired, or was revoked.' : withToken.error.message}</strong></p>
              <p>{withToken.error.code === 'UNAUTHENTICATED' ? 'Check that the whole token was pasted, or ask an administrator for a new one.' : adviceFor(withToken.error.code)}</p>
            </div>
          </div>
        )}
        <form
          onSubmit={(event) => {
            event.preventDefault();
            setTried(true);
            void withToken.run();
          }}
        >
          <TextField
            label="API token" type="password" mono value={token} onInput={setToken} placeholder="dvt_…" autoFocus autoComplete="current-password" insist={tried}
            problem={tried && token.trim() === '' ? 'Paste your token.' : ''} hint="It stays on the server for this session; the browser keeps only a cookie."
          />
          <Button kind="primary" type="submit" busy={withToken.busy}>Sign in</Button>
        </form>
        <p class="hint">No token yet? An administrator makes one under Settings → API tokens, or with <code>davit tokens create</code>.</p>
      </div>
    </main>
  );
}
