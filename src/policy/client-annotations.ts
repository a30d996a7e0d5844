/** Where annotations of ours begin. */
export const ownAnnotations = 'portcullis.dev/';

/** What they can say of a client, behind that. */
export const clientAnnotations = ['client-id', 'scopes', 'roles', 'expires'] as const;
