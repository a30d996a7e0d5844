/** Names a policy; only the proxy's configuration sets it, never a client (S5). */
export const policyExtension = 'portcullis.dev/policy';
