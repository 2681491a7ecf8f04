/**
 * Reads the certificates of a PKCS#12 truststore (RFC 7292). Node.js reads PKCS#12 only with a private key in it, which a
 * truststore has not.
 *
 * Understood is what `keytool` and `openssl` write today: DER, certificates in the clear or encrypted with PBES2 (PBKDF2
 * and AES-CBC). The older RC2 and triple DES are refused.
 */
import { createDecipheriv, pbkdf2Sync, X509Certificate } from 'node:crypto'

const OID = {
  data: '1.2.840.113549.1.7.1',
  encryptedData: '1.2.840.113549.1.7.6',
  certBag: '1.2.840.113549.1.12.10.1.3',
  x509Certificate: '1.2.840.113549.1.9.22.1',
  pbes2: '1.2.840.113549.1.5.13',
  pbkdf2: '1.2.840.113549.1.5.12',
}

const DIGESTS: { readonly [oid: string]: string | undefined } = {
  '1.2.840.113549.2.7': 'sha1',
  '1.2.840.113549.2.9': 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
}

const CIPHERS: { readonly [oid: string]: { readonly name: string; readonly keyLength: number } | undefined } = {
  '2.16.840.1.101.3.4.1.2': { name: 'aes-128-cbc', keyLength: 16 },
  '2.16.840.1.101.3.4.1.22': { name: 'aes-192-cbc', keyLength: 24 },
  '2.16.840.1.101.3.4.1.42': { name: 'aes-256-cbc', keyLength: 32 },
}

/**
 * Certificates of a truststore, as PEM texts.
 * @throws {Error} when the bytes are not PKCS#12, the password is wrong, or there is no certificate
 */
export function readPkcs12Certificates(bytes: Buffer, password: string): string[] {
  const [, authSafe] = children(readNode(bytes, 0))
  const certificates = children(readNode(octets(contentOf(authSafe, OID.data)), 0)).flatMap((info) =>
    certificatesOf(safeContents(info, password)),
  )
  if (certificates.length === 0) throw new Error('it holds no certificate')
  return certificates
}

function safeContents(info: Node, password: string): Buffer {
  const [type, content] = children(info)
  if (oid(type) === OID.data) return octets(first(content))
  if (oid(type) !== OID.encryptedData)
    throw new Error('it holds something that is neither clear nor encrypted by a password')
  const [, encrypted] = children(first(content))
  const [, algorithm, ciphertext] = children(encrypted)
  return decrypt(algorithm, bodyOf(ciphertext), password)
}

function certificatesOf(contents: Buffer): string[] {
  return children(readNode(contents, 0)).flatMap((bag) => {
    const [bagType, bagValue] = children(bag)
    if (oid(bagType) !== OID.certBag) return []
    const [type, value] = children(first(bagValue))
    return oid(type) === OID.x509Certificate ? [new X509Certificate(octets(first(value))).toString()] : []
  })
}

function decrypt(algorithm: Node | undefined, ciphertext: Buffer, password: string): Buffer {
  const [scheme, parameters] = children(algorithm)
  if (oid(scheme) !== OID.pbes2)
    throw new Error(
      'it uses an old encryption; convert it: keytool -list -rfc -storetype PKCS12 -keystore FILE > ca.pem',
    )
  const [derivation, encryption] = children(parameters)
  const [derivationType, derivationParameters] = children(derivation)
  const [salt, iterations, ...more] = children(derivationParameters)
  const prf = more.find(({ tag }) => tag === SEQUENCE)
  const digest = prf === undefined ? 'sha1' : DIGESTS[oid(children(prf)[0])]
  const [cipherType, iv] = children(encryption)
  const cipher = CIPHERS[oid(cipherType)]
  if (oid(derivationType) !== OID.pbkdf2 || digest === undefined || cipher === undefined)
    throw new Error('it uses an unknown encryption')
  const rounds = bodyOf(iterations).readUIntBE(0, bodyOf(iterations).length)
  if (rounds > 10_000_000) throw new Error(`it asks for ${rounds} rounds of key derivation`)
  const key = pbkdf2Sync(password, octets(salt), rounds, cipher.keyLength, digest)
  const decipher = createDecipheriv(cipher.name, key, octets(iv))
  return Buffer.concat([decipher.update(ciphertext), decipher.final()])
}

const SEQUENCE = 0x30
const OCTET_STRING = 0x04
const OBJECT_IDENTIFIER = 0x06

interface Node {
  readonly tag: number
  readonly body: Buffer
  /** Position after the node. */
  readonly end: number
}

const NOT_PKCS12 = 'it is not a PKCS#12 file'

function readNode(bytes: Buffer, start: number): Node {
  const tag = bytes[start]
  let length = bytes[start + 1]
  if (tag === undefined || length === undefined || length === 0x80) throw new Error(NOT_PKCS12)
  let position = start + 2
  if (length > 0x80) {
    const digits = length - 0x80
    if (digits > 4 || position + digits > bytes.length) throw new Error(NOT_PKCS12)
    length = bytes.readUIntBE(position, digits)
    position += digits
  }
  if (position + length > bytes.length) throw new Error(NOT_PKCS12)
  return { tag, body: bytes.subarray(position, position + length), end: position + length }
}

function children(node: Node | undefined): Node[] {
  const { body } = required(node)
  const nodes: Node[] = []
  for (let position = 0; position < body.length;) {
    const child = readNode(body, position)
    nodes.push(child)
    position = child.end
  }
  return nodes
}

function first(node: Node | undefined): Node {
  return required(children(node)[0])
}

/** What a ContentInfo of a type holds. */
function contentOf(info: Node | undefined, type: string): Node {
  const [found, content] = children(info)
  if (oid(found) !== type) throw new Error(NOT_PKCS12)
  return first(content)
}

function bodyOf(node: Node | undefined): Buffer {
  return required(node).body
}

function octets(node: Node | undefined): Buffer {
  const { tag, body } = required(node)
  if (tag !== OCTET_STRING) throw new Error(NOT_PKCS12)
  return body
}

function oid(node: Node | undefined): string {
  const { tag, body } = required(node)
  if (tag !== OBJECT_IDENTIFIER || body.length === 0) throw new Error(NOT_PKCS12)
  const numbers: number[] = []
  let value = 0
  for (const byte of body) {
    value = value * 128 + (byte & 0x7f)
    if (byte < 0x80) {
      numbers.push(value)
      value = 0
    }
  }
  const [head = 0, ...tail] = numbers
  const root = Math.min(2, Math.floor(head / 40))
  return [root, head - root * 40, ...tail].join('.')
}

function required(node: Node | undefined): Node {
  if (node === undefined) throw new Error(NOT_PKCS12)
  return node
}
