/**
 * Reads the certificates of a PKCS#12 truststore (RFC 7292). Node.js reads PKCS#12 only with a private key in it, which a truststore does
 * not have. This file loads pkijs, so it is imported when a truststore needs it.
 *
 * It reads what `keytool` and `openssl` write today: certificates in the clear or encrypted with PBES2 (PBKDF2 and AES-CBC). The older
 * RC2 and triple DES are refused.
 */
import { X509Certificate } from 'node:crypto'
import { CertBag, Certificate, PFX, type SafeContents } from 'pkijs'

/**
 * Certificates of a truststore, as PEM texts.
 * @throws {Error} when the bytes are not PKCS#12, the password is wrong, or there is no certificate
 */
export async function readPkcs12Certificates(bytes: Buffer, password: string): Promise<string[]> {
  const certificates = (await readContents(bytes, password)).flatMap(({ value }) =>
    value.safeBags.flatMap(({ bagValue }) =>
      bagValue instanceof CertBag && bagValue.parsedValue instanceof Certificate ? [toPem(bagValue)] : [],
    ),
  )
  if (certificates.length === 0) throw new Error('it contains no certificate')
  return certificates
}

async function readContents(bytes: Buffer, text: string): Promise<readonly { readonly value: SafeContents }[]> {
  const password = new TextEncoder().encode(text).buffer
  let stage = 'it is not a PKCS#12 file'
  try {
    const store = PFX.fromBER(bytes)
    await store.parseInternalValues({ password, checkIntegrity: false })
    const safe = store.parsedValue!.authenticatedSafe!
    stage = 'its certificates cannot be decrypted'
    await safe.parseInternalValues({ safeContents: safe.safeContents.map(() => ({ password })) })
    return (safe.parsedValue as { safeContents: { value: SafeContents }[] }).safeContents
  } catch (cause) {
    const { name, message } = cause as Error
    if (message.startsWith('Unknown "contentEncryptionAlgorithm"')) throw new Error(OLD, { cause })
    // A wrong password may also yield bytes that are not certificates.
    throw new Error(name === 'OperationError' ? 'the password is wrong or missing' : stage, { cause })
  }
}

const OLD = 'it uses an old encryption; convert it: keytool -list -rfc -storetype PKCS12 -keystore FILE > ca.pem'

function toPem({ certValue }: CertBag): string {
  if (!('getValue' in certValue)) throw new Error('it contains a certificate that cannot be read')
  return new X509Certificate(Buffer.from(certValue.getValue())).toString()
}
