/**
 * Rules across truststores and keystores.
 */
import { problem, type OptionProblem } from '../../options/declaration.ts'
import type { SecurityOptions } from './settings.ts'

export function storeProblems(options: SecurityOptions): OptionProblem[] {
  const problems: OptionProblem[] = []
  const { truststoreLocation, keystoreLocation, keystoreKey, keystoreCertificateChain } = options
  if (
    options.truststoreType === 'JKS' ||
    (options.truststoreType === undefined && truststoreLocation?.endsWith('.jks'))
  ) {
    problems.push(
      problem(
        'truststoreLocation',
        'Cannot read a JKS truststore',
        'convert it: keytool -list -rfc -keystore FILE > ca.pem, and set ssl.truststore.type to PEM',
      ),
    )
  }
  if (options.keystoreType === 'JKS' || (options.keystoreType === undefined && keystoreLocation?.endsWith('.jks'))) {
    problems.push(
      problem(
        'keystoreLocation',
        'Cannot read a JKS keystore',
        'convert it: keytool -importkeystore -srckeystore FILE -destkeystore client.p12 -deststoretype PKCS12',
      ),
    )
  }
  if (truststoreLocation !== undefined && options.truststoreCertificates !== undefined)
    problems.push(
      problem(
        'truststoreLocation',
        'Cannot use both ssl.truststore.location and ssl.truststore.certificates',
        'delete one',
      ),
    )
  if (keystoreLocation !== undefined && keystoreKey !== undefined)
    problems.push(
      problem('keystoreLocation', 'Cannot use both ssl.keystore.location and ssl.keystore.key', 'delete one'),
    )
  const { keyLocation, certificateLocation } = options
  if ((keyLocation === undefined) !== (certificateLocation === undefined))
    problems.push(
      problem(
        keyLocation === undefined ? 'certificateLocation' : 'keyLocation',
        'ssl.key.location and ssl.certificate.location must be set together',
      ),
    )
  if (keyLocation !== undefined && (keystoreLocation ?? keystoreKey) !== undefined)
    problems.push(
      problem(
        'keyLocation',
        `Cannot use both ssl.key.location and ${keystoreLocation === undefined ? 'ssl.keystore.key' : 'ssl.keystore.location'}`,
        'delete one',
      ),
    )
  if ((keystoreKey === undefined) !== (keystoreCertificateChain === undefined))
    problems.push(
      problem(
        keystoreKey === undefined ? 'keystoreCertificateChain' : 'keystoreKey',
        'ssl.keystore.key and ssl.keystore.certificate.chain must be set together',
      ),
    )
  return problems
}
