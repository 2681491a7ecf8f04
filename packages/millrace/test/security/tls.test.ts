import { readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { X509Certificate } from 'node:crypto'
import {
  connect,
  createSecureContext,
  createServer,
  type ConnectionOptions,
  type Server,
  type TLSSocket,
} from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readTls, type TlsSettings } from '../../src/security/tls.ts'

const FIXTURES = join(import.meta.dirname, '../fixtures/tls')

const BASE: TlsSettings = {
  truststore: undefined,
  keystore: undefined,
  keyPassword: undefined,
  verifyHostname: true,
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  cipherSuites: undefined,
}

describe('against a server that asks for a certificate', () => {
  let server: Server
  let port: number
  beforeAll(async () => {
    const [pfx, ca] = await Promise.all([readFile(join(FIXTURES, 'server.p12')), readFile(join(FIXTURES, 'ca.pem'))])
    server = createServer({ pfx, passphrase: 'changeit', ca, requestCert: true, rejectUnauthorized: false })
    server.on('secureConnection', (socket: TLSSocket) => socket.end(socket.authorized ? 'known' : 'unknown'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    port = (server.address() as AddressInfo).port
  })
  afterAll(() => {
    server.close()
  })

  const ask = (options: ConnectionOptions, servername = 'localhost'): Promise<string> =>
    new Promise((resolve, reject) => {
      let answer = ''
      const socket = connect({ ...options, host: '127.0.0.1', port, servername })
      socket.on('data', (chunk) => (answer += String(chunk)))
      socket.on('end', () => resolve(answer))
      socket.on('error', reject)
    })

  const trust = { type: 'PEM', location: 'ca.pem' } as const

  test.each([
    { name: 'a PEM truststore', settings: { truststore: trust }, want: 'unknown' },
    {
      name: 'a PKCS12 truststore as keytool writes it',
      settings: { truststore: { type: 'PKCS12', location: 'trust.p12', password: 'changeit' } },
      want: 'unknown',
    },
    {
      name: 'a PKCS12 keystore',
      settings: { truststore: trust, keystore: { type: 'PKCS12', location: 'server.p12', password: 'changeit' } },
      want: 'known',
    },
    {
      name: 'key and certificate in two files',
      settings: {
        truststore: trust,
        keystore: { type: 'PEM', location: 'key.pem', certificateLocation: 'ca.pem' },
      },
      want: 'known',
    },
    {
      name: 'a PEM keystore',
      settings: { truststore: trust, keystore: { type: 'PEM', location: 'server.pem' } },
      want: 'known',
    },
    {
      name: 'an encrypted PEM keystore',
      settings: { truststore: trust, keystore: { type: 'PEM', location: 'encrypted.pem' }, keyPassword: 'keypass' },
      want: 'known',
    },
    { name: 'one version of TLS', settings: { truststore: trust, maxVersion: 'TLSv1.2' }, want: 'unknown' },
  ] as const)('$name', async ({ settings, want }) => {
    expect(await ask(await readTls({ ...BASE, ...settings }, FIXTURES))).toBe(want)
  })

  test('does not trust an authority that was not named', async () => {
    await expect(readTls(BASE, FIXTURES).then(ask)).rejects.toThrow(/self.signed/)
  })

  test('checks the host name unless told otherwise', async () => {
    const strict = await readTls({ ...BASE, truststore: trust }, FIXTURES)
    await expect(ask(strict, 'other.example')).rejects.toThrow(/does not match certificate/)
    const lax = await readTls({ ...BASE, truststore: trust, verifyHostname: false }, FIXTURES)
    expect(await ask(lax, 'other.example')).toBe('unknown')
  })
})

// Java's client accepts PEM text in one line. It was refused with the words of OpenSSL, and as a truststore silently absent.
test.each([
  { name: 'in one line', pack: (pem: string) => pem.replaceAll('\n', '') },
  { name: 'with blanks for line breaks', pack: (pem: string) => pem.replaceAll('\n', ' ') },
  { name: 'with written line breaks', pack: (pem: string) => pem.replaceAll('\n', String.raw`\n`) },
])('takes PEM text $name', async ({ pack }) => {
  const pem = await readFile(join(FIXTURES, 'server.pem'), 'utf8')
  const text = { type: 'PEM', pem: pack(pem) } as const
  const packed = await readTls({ ...BASE, truststore: text, keystore: text }, FIXTURES)
  const context = createSecureContext({ ca: packed.ca, key: packed.key, cert: packed.cert })
  expect(context).toBeDefined()
  const plain = await readTls({ ...BASE, truststore: { type: 'PEM', pem } }, FIXTURES)
  const fingerprints = (ca: unknown): string[] =>
    [ca].flat().map((each) => new X509Certificate(String(each)).fingerprint256)
  expect(fingerprints(packed.ca)).toEqual(fingerprints(plain.ca))
})

test('takes PEM text as well', async () => {
  const pem = await readFile(join(FIXTURES, 'server.pem'), 'utf8')
  const options = await readTls({ ...BASE, truststore: { type: 'PEM', pem }, keystore: { type: 'PEM', pem } }, FIXTURES)
  expect(options).toMatchObject({ ca: [expect.stringMatching(/^-----BEGIN CERTIFICATE/)], key: pem, cert: pem })
})

describe('says what is wrong', () => {
  test.each([
    {
      name: 'a missing file',
      settings: { truststore: { type: 'PEM', location: 'no.pem' } },
      code: 'FILE_UNREADABLE',
      message: /truststore ".*no\.pem": the file does not exist$/,
    },
    {
      name: 'a folder',
      settings: { keystore: { type: 'PEM', location: '.' } },
      code: 'FILE_UNREADABLE',
      message: /it is a folder$/,
    },
    {
      name: 'a truststore without certificates',
      settings: { truststore: { type: 'PEM', location: 'README.md' } },
      code: 'CONFIG_INVALID',
      message: /contains no PEM certificate/,
    },
    {
      name: 'a keystore without a key',
      settings: { keystore: { type: 'PEM', location: 'ca.pem' } },
      code: 'CONFIG_INVALID',
      message: /contains no PEM private key/,
    },
    {
      name: 'a wrong keystore password',
      settings: { keystore: { type: 'PKCS12', location: 'server.p12', password: 'hush' } },
      code: 'CONFIG_INVALID',
      message: /the password is wrong or missing/,
    },
    {
      name: 'a wrong truststore password',
      settings: { truststore: { type: 'PKCS12', location: 'trust.p12', password: 'hush' } },
      code: 'CONFIG_INVALID',
      message: /"trust\.p12": the password is wrong or missing/,
    },
    {
      name: 'an encrypted key without a password',
      settings: { keystore: { type: 'PEM', location: 'encrypted.pem' } },
      code: 'CONFIG_INVALID',
      message: /its key is encrypted: set ssl\.key\.password/,
    },
    {
      name: 'a truststore with old encryption',
      settings: { truststore: { type: 'PKCS12', location: 'old.p12', password: 'changeit' } },
      code: 'CONFIG_INVALID',
      message: /old encryption; convert it: keytool/,
    },
    {
      name: 'PEM where PKCS12 is meant',
      settings: { truststore: { type: 'PKCS12', location: 'ca.pem' } },
      code: 'CONFIG_INVALID',
      message: /not a PKCS#12 file/,
    },
    {
      name: 'an unknown cipher suite',
      settings: { cipherSuites: ['NOPE'] },
      code: 'CONFIG_INVALID',
      message: /cipher/,
    },
  ] as const)('$name', async ({ settings, code, message }) => {
    const failure = await readTls({ ...BASE, ...settings }, FIXTURES).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code, message: expect.stringMatching(message) })
    // I8
    expect(String(failure)).not.toContain('hush')
  })
})
