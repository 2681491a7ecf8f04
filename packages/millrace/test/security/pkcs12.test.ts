import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readPkcs12Certificates } from '../../src/security/pkcs12.ts'

const FIXTURES = join(import.meta.dirname, '../fixtures/tls')
const trust = readFileSync(join(FIXTURES, 'trust.p12'))
const read = (file: string): Promise<Buffer> => readFile(join(FIXTURES, file))
const wanted = new X509Certificate(readFileSync(join(FIXTURES, 'ca.pem'))).fingerprint256

test.each([
  { file: 'trust.p12', name: "Java's truststore" },
  { file: 'server.p12', name: 'a keystore with its key' },
  { file: 'openssl.p12', name: 'a store of openssl' },
  { file: 'clear.p12', name: 'a store without encryption' },
])('finds the certificate in $name', async ({ file }) => {
  const certificates = await readPkcs12Certificates(await read(file), 'changeit')
  expect(certificates.map((pem) => new X509Certificate(pem).fingerprint256)).toEqual([wanted])
})

test('takes passwords beyond ASCII', async () => {
  expect(await readPkcs12Certificates(await read('umlaut.p12'), 'pässwörd')).toHaveLength(1)
})

test.each([
  { name: 'a wrong password', file: 'trust.p12', password: 'hush', want: 'the password is wrong or missing' },
  { name: 'no password', file: 'trust.p12', password: '', want: 'the password is wrong or missing' },
  { name: 'no certificate', file: 'secret-key.p12', password: 'changeit', want: 'it contains no certificate' },
  {
    name: 'triple DES',
    file: 'old.p12',
    password: 'changeit',
    want: /^it uses an old encryption; convert it: keytool /,
  },
  { name: 'PEM', file: 'ca.pem', password: 'changeit', want: 'it is not a PKCS#12 file' },
])('refuses $name', async ({ file, password, want }) => {
  await expect(readPkcs12Certificates(await read(file), password)).rejects.toThrow(want)
})

test('ends with an error for every truncated file', async () => {
  for (let length = 0; length < trust.length - 100; length++)
    await expect(readPkcs12Certificates(trust.subarray(0, length), 'changeit')).rejects.toThrow()
})

test('ends, whatever the bytes are', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
      await expect(readPkcs12Certificates(Buffer.from(bytes), '')).rejects.toThrow()
    }),
  )
})
