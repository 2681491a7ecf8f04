import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readPkcs12Certificates } from '../../../src/kafka/security/pkcs12.ts'

const FIXTURES = join(import.meta.dirname, '../../fixtures/tls')
const trust = readFileSync(join(FIXTURES, 'trust.p12'))
const wanted = new X509Certificate(readFileSync(join(FIXTURES, 'ca.pem'))).fingerprint256

test.each(['trust.p12', 'server.p12'])('finds the certificate in %s', (file) => {
  const certificates = readPkcs12Certificates(readFileSync(join(FIXTURES, file)), 'changeit')
  expect(certificates.map((pem) => new X509Certificate(pem).fingerprint256)).toEqual([wanted])
})

test('ends with an error for every truncated file', () => {
  for (let length = 0; length < trust.length - 100; length++)
    expect(() => readPkcs12Certificates(trust.subarray(0, length), 'changeit')).toThrow()
})

test('ends, whatever the bytes are', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(() => readPkcs12Certificates(Buffer.from(bytes), '')).toThrow()
    }),
  )
})
