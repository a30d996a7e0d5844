import type { SignInOptions } from './keycloak.ts';

interface SignInUser {
  readonly client: string;
  readonly redirectUri: string;
  readonly user: string;
  readonly password: string;
}

/** A level of step-up is one page more; nobody needs more of them. */
const maxPages = 10;

/** Signs in as a browser does, with a cookie jar of its own: every form that asks for a password gets it. The code of the redirect. */
export async function signInAtLoginPage(
  endpoint: string,
  { client, redirectUri, user, password }: SignInUser,
  { scope = 'openid', acrValues, maxAge }: SignInOptions,
): Promise<string> {
  const query = new URLSearchParams({ client_id: client, redirect_uri: redirectUri, response_type: 'code', scope });
  if (acrValues !== undefined) query.set('acr_values', acrValues);
  if (maxAge !== undefined) query.set('max_age', String(maxAge));
  const cookies = new Map<string, string>();
  let answer = await browse(`${endpoint}?${query.toString()}`, cookies);
  for (let page = 0; page < maxPages; page++) {
    const location = answer.headers.get('location');
    if (location?.startsWith(redirectUri) === true) {
      const code = new URL(location).searchParams.get('code');
      if (code === null) throw new Error(`signed in without a code: ${location}`);
      return code;
    }
    if (location !== null) {
      answer = await browse(location, cookies);
      continue;
    }
    const html = await answer.text();
    const action = /<form[^>]*action="([^"]+)"/.exec(html)?.[1]?.replaceAll('&amp;', '&');
    if (action === undefined) throw new Error(`no form at the login page: ${answer.status} ${html.slice(0, 500)}`);
    answer = await browse(action, cookies, new URLSearchParams({ username: user, password, credentialId: '' }));
  }
  throw new Error('the login pages do not end');
}

async function browse(url: string, cookies: Map<string, string>, form?: URLSearchParams): Promise<Response> {
  const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  const answer = await fetch(url, {
    method: form === undefined ? 'GET' : 'POST',
    redirect: 'manual',
    headers: cookie === '' ? {} : { cookie },
    ...(form && { body: form }),
  });
  for (const set of answer.headers.getSetCookie()) {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
    cookies.set(name, value);
  }
  return answer;
}
