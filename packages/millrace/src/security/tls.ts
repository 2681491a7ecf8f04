/**
 * Turns truststores and keystores into options of `node:tls`. Reads files, so it runs when a client is opened, not when
 * options are checked.
 */
import { readFile } from 'node:fs/promises'
import { isAbsolute, resolve } from 'node:path'
import { createSecureContext, type ConnectionOptions } from 'node:tls'
import { ConfigError } from '../errors/index.ts'
import { unreadable } from '../errors/unreadable.ts'

export type StoreType = 'PEM' | 'PKCS12'

/** A truststore or keystore: in a file, or as PEM text. */
export interface Store {
  readonly type: StoreType
  readonly location?: string | undefined
  /** File with the certificate chain of a keystore whose `location` holds the key alone. */
  readonly certificateLocation?: string | undefined
  readonly pem?: string | undefined
  readonly password?: string | undefined
}

export interface TlsSettings {
  /** Certificates of trusted authorities; those that Node.js trusts when undefined. */
  readonly truststore: Store | undefined
  /** Our own key and certificate chain. */
  readonly keystore: Store | undefined
  readonly keyPassword: string | undefined
  readonly verifyHostname: boolean
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
  readonly maxVersion: 'TLSv1.2' | 'TLSv1.3'
  readonly cipherSuites: readonly string[] | undefined
}

/**
 * Reads the files and checks that they can be used together.
 *
 * @param directory against which relative paths are resolved
 * @throws {FileError} `FILE_UNREADABLE`
 * @throws {ConfigError} when a file does not hold what it should, or a password is wrong
 */
export async function readTls(settings: TlsSettings, directory: string): Promise<ConnectionOptions> {
  const { truststore, keystore, keyPassword, cipherSuites } = settings
  const options: ConnectionOptions = {
    minVersion: settings.minVersion,
    maxVersion: settings.maxVersion,
    ...(cipherSuites === undefined ? {} : { ciphers: cipherSuites.join(':') }),
    ...(settings.verifyHostname ? {} : { checkServerIdentity: () => undefined }),
    ...(truststore === undefined ? {} : { ca: await readCertificates(truststore, directory) }),
    ...(keystore === undefined ? {} : await readKeystore(keystore, keyPassword, directory)),
  }
  try {
    createSecureContext(options)
  } catch (error) {
    throw new ConfigError(`Cannot use the keystore, the truststore or the cipher suites: ${reasonOf(error)}`, [], {
      cause: error,
    })
  }
  return options
}

async function readCertificates(store: Store, directory: string): Promise<string[]> {
  const what = nameOf('truststore', store)
  const bytes = await read(store, 'truststore', directory)
  if (store.type === 'PKCS12') {
    const { readPkcs12Certificates } = await import('./pkcs12.ts')
    try {
      return await readPkcs12Certificates(bytes, store.password ?? '')
    } catch (error) {
      throw new ConfigError(`Cannot use ${what}: ${reasonOf(error)}`, [], { cause: error })
    }
  }
  const certificates = bytes
    .toString('latin1')
    .match(/-----BEGIN (?:TRUSTED )?CERTIFICATE-----[\s\S]+?-----END (?:TRUSTED )?CERTIFICATE-----/g)
  if (certificates === null) throw new ConfigError(`Cannot use ${what} as it contains no PEM certificate`)
  return certificates
}

async function readKeystore(
  store: Store,
  keyPassword: string | undefined,
  directory: string,
): Promise<Pick<ConnectionOptions, 'pfx' | 'key' | 'cert' | 'passphrase'>> {
  const bytes = await read(store, 'keystore', directory)
  const passphrase = store.type === 'PKCS12' ? (store.password ?? keyPassword) : keyPassword
  const secret = passphrase === undefined ? {} : { passphrase }
  if (store.type === 'PKCS12') return { pfx: bytes, ...secret }
  const pem = bytes.toString('latin1') + (await readChain(store, directory))
  for (const part of ['PRIVATE KEY', 'CERTIFICATE']) {
    if (!pem.includes(`${part}-----`))
      throw new ConfigError(`Cannot use ${nameOf('keystore', store)} as it contains no PEM ${part.toLowerCase()}`)
  }
  if (passphrase === undefined && pem.includes('ENCRYPTED')) {
    throw new ConfigError(`Cannot use ${nameOf('keystore', store)} as its key is encrypted: set ssl.key.password`)
  }
  return { key: pem, cert: pem, ...secret }
}

/** The certificates that stand in a file of their own. */
async function readChain({ certificateLocation: location }: Store, directory: string): Promise<string> {
  if (location === undefined) return ''
  return `\n${(await read({ type: 'PEM', location }, 'certificate chain', directory)).toString('latin1')}`
}

/**
 * PEM text with its line breaks. Java's client accepts keys and certificates in one line, as they are often put into a
 * property; OpenSSL does not.
 */
function withLineBreaks(pem: string): string {
  return pem.replace(
    /-----BEGIN ([A-Z ]+)-----([A-Za-z0-9+/=\s\\n]+?)-----END \1-----/g,
    (whole, name: string, body: string) => {
      if (/^\r?\n/.test(body) && !/[ \\]/.test(body)) return whole
      const lines = body.replaceAll(/\\n|\s/g, '').match(/.{1,64}/g) ?? []
      return `\n-----BEGIN ${name}-----\n${lines.join('\n')}\n-----END ${name}-----\n`
    },
  )
}

async function read(store: Store, what: string, directory: string): Promise<Buffer> {
  if (store.location === undefined) return Buffer.from(withLineBreaks(store.pem ?? ''), 'latin1')
  const path = isAbsolute(store.location) ? store.location : resolve(directory, store.location)
  try {
    return await readFile(path)
  } catch (error) {
    throw unreadable(`the ${what} "${path}"`, error)
  }
}

function nameOf(what: string, store: Store): string {
  return store.location === undefined ? `the ${what} given as text` : `the ${what} "${store.location}"`
}

function reasonOf(error: unknown): string {
  const { message } = error as Error
  if (/mac verify failure|bad decrypt|wrong password/i.test(message)) return 'the password is wrong or missing'
  return message.replace(/\.$/, '')
}
