/**
 * A self-signed certificate for `idp.example`, good for a hundred years, and its key: made for tests alone and trusted nowhere else.
 * `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 -subj /CN=idp.example -addext subjectAltName=DNS:idp.example`
 */
export const testCertificate = `-----BEGIN CERTIFICATE-----
MIIBmjCCAUGgAwIBAgIUA1dURgFletwe5UkwMumsBTQJ0XYwCgYIKoZIzj0EAwIw
FjEUMBIGA1UEAwwLaWRwLmV4YW1wbGUwIBcNMjYxMTIxMDIzNDUyWhgPMjEyNjEw
MjgwMjM0NTJaMBYxFDASBgNVBAMMC2lkcC5leGFtcGxlMFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAEiJ3jHQAgMuvz+do5xTTJT71TiNIs6yjkw0Zz1jYZid30aPNf
fpbTx684KmIn4Kq4Hcx9QOCiiVNu9DuR1imPlaNrMGkwHQYDVR0OBBYEFNoI3v7C
wUbvVNinNN3NFDgPUXpZMB8GA1UdIwQYMBaAFNoI3v7CwUbvVNinNN3NFDgPUXpZ
MA8GA1UdEwEB/wQFMAMBAf8wFgYDVR0RBA8wDYILaWRwLmV4YW1wbGUwCgYIKoZI
zj0EAwIDRwAwRAIgRnh4cqQhrtrwUuzDAiRKOmtgrjlINBWMWJPeezuwrhACIBO4
z9y0Wg2ogMbkEqXjlEQDizyvM0Xt4WA42fIDz2Oa
-----END CERTIFICATE-----
`;

export const testCertificateKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgU9cWwu/vWVcf9hDA
v7GAMLHAEPL557qOHZNKklD0xsyhRANCAASIneMdACAy6/P52jnFNMlPvVOI0izr
KOTDRnPWNhmJ3fRo819+ltPHrzgqYifgqrgdzH1A4KKJU270O5HWKY+V
-----END PRIVATE KEY-----
`;
