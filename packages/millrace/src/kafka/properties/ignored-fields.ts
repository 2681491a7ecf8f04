/** Properties that Java knows and that have no meaning here: accepted with a warning that says why. */
import type { AnyField } from '../../options/declaration.ts'
import { field } from '../../options/fields.ts'

const NO_JAVA = 'it names or configures a Java class'
const OWN_METRICS = 'Millrace has metrics of its own'
const SOCKETS = 'in Node.js, the operating system sets socket buffers'
const ONE_BACKOFF = 'a lost connection is re-established after retry.backoff.ms'
const TOKEN_REFRESH = 'a new token is fetched when a connection needs one and four fifths of its lifetime have passed'
const TOKEN_RETRY = 'a token request is retried after retry.backoff.ms'
const TOKEN_TIME = 'a token request may take socket.connection.setup.timeout.ms'
const NO_ASSERTIONS = 'clients authenticate to the token endpoint with their secret, not with an assertion'
const FOR_BROKERS = 'it is for brokers, which verify tokens'
const NO_KERBEROS = 'Kerberos is not supported'

const IGNORED_BY_ALL: { readonly [property: string]: string } = {
  'client.dns.lookup': 'all addresses of a host are tried',
  'config.providers': `${NO_JAVA}; use \${NAME} for environment variables`,
  'connections.max.idle.ms': 'connections stay open until the client is closed',
  'enable.metrics.push': OWN_METRICS,
  'interceptor.classes': NO_JAVA,
  'metadata.recovery.rebootstrap.trigger.ms': 'bootstrap servers are used as soon as no known broker responds',
  'metadata.recovery.strategy': 'bootstrap servers are used as soon as no known broker responds',
  'metric.reporters': OWN_METRICS,
  'metrics.num.samples': OWN_METRICS,
  'metrics.recording.level': OWN_METRICS,
  'metrics.sample.window.ms': OWN_METRICS,
  'receive.buffer.bytes': SOCKETS,
  'send.buffer.bytes': SOCKETS,
  'reconnect.backoff.max.ms': ONE_BACKOFF,
  'reconnect.backoff.ms': ONE_BACKOFF,
  'socket.connection.setup.timeout.max.ms': 'every attempt may take socket.connection.setup.timeout.ms',
  'sasl.client.callback.handler.class': NO_JAVA,
  'sasl.login.callback.handler.class': NO_JAVA,
  'sasl.login.class': NO_JAVA,
  'sasl.kerberos.kinit.cmd': NO_KERBEROS,
  'sasl.kerberos.min.time.before.relogin': NO_KERBEROS,
  'sasl.kerberos.service.name': NO_KERBEROS,
  'sasl.kerberos.ticket.renew.jitter': NO_KERBEROS,
  'sasl.kerberos.ticket.renew.window.factor': NO_KERBEROS,
  'sasl.login.connect.timeout.ms': TOKEN_TIME,
  'sasl.login.read.timeout.ms': TOKEN_TIME,
  'sasl.login.refresh.buffer.seconds': TOKEN_REFRESH,
  'sasl.login.refresh.min.period.seconds': TOKEN_REFRESH,
  'sasl.login.refresh.window.factor': TOKEN_REFRESH,
  'sasl.login.refresh.window.jitter': TOKEN_REFRESH,
  'sasl.login.retry.backoff.max.ms': TOKEN_RETRY,
  'sasl.login.retry.backoff.ms': TOKEN_RETRY,
  'sasl.oauthbearer.assertion.algorithm': NO_ASSERTIONS,
  'sasl.oauthbearer.assertion.claim.aud': NO_ASSERTIONS,
  'sasl.oauthbearer.assertion.claim.exp.seconds': NO_ASSERTIONS,
  'sasl.oauthbearer.assertion.claim.iss': NO_ASSERTIONS,
  'sasl.oauthbearer.assertion.claim.jti.include': NO_ASSERTIONS,
  'sasl.oauthbearer.assertion.claim.nbf.seconds': NO_ASSERTIONS,
  'sasl.oauthbearer.assertion.claim.sub': NO_ASSERTIONS,
  'sasl.oauthbearer.assertion.file': NO_ASSERTIONS,
  'sasl.oauthbearer.assertion.private.key.file': NO_ASSERTIONS,
  'sasl.oauthbearer.assertion.private.key.passphrase': NO_ASSERTIONS,
  'sasl.oauthbearer.assertion.template.file': NO_ASSERTIONS,
  'sasl.oauthbearer.clock.skew.seconds': FOR_BROKERS,
  'sasl.oauthbearer.expected.audience': FOR_BROKERS,
  'sasl.oauthbearer.expected.issuer': FOR_BROKERS,
  'sasl.oauthbearer.jwks.endpoint.refresh.ms': FOR_BROKERS,
  'sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms': FOR_BROKERS,
  'sasl.oauthbearer.jwks.endpoint.retry.backoff.ms': FOR_BROKERS,
  'sasl.oauthbearer.jwks.endpoint.url': FOR_BROKERS,
  'sasl.oauthbearer.jwt.retriever.class': NO_JAVA,
  'sasl.oauthbearer.jwt.validator.class': NO_JAVA,
  'sasl.oauthbearer.scope.claim.name': FOR_BROKERS,
  'sasl.oauthbearer.sub.claim.name': FOR_BROKERS,
  'security.providers': NO_JAVA,
  'ssl.engine.factory.class': NO_JAVA,
  'ssl.keymanager.algorithm': NO_JAVA,
  'ssl.protocol': 'ssl.enabled.protocols sets which versions of TLS may be used',
  'ssl.provider': NO_JAVA,
  'ssl.secure.random.implementation': NO_JAVA,
  'ssl.trustmanager.algorithm': NO_JAVA,
}

const IGNORED_BY_CONSUMERS: { readonly [property: string]: string } = {
  'allow.auto.create.topics': 'reading never creates a topic',
  'exclude.internal.topics': 'topics are listed by name',
  'internal.throw.on.fetch.stable.offset.unsupported': 'it is internal to the Java client',
  'share.acknowledgement.mode': 'share groups are not supported',
  'share.acquire.mode': 'share groups are not supported',
}

const IGNORED_BY_PRODUCERS: { readonly [property: string]: string } = {
  'metadata.max.idle.ms': 'the metadata of a topic is kept until the client is closed',
  'partitioner.adaptive.partitioning.enable': 'slow brokers are not avoided',
  'partitioner.availability.timeout.ms': 'slow brokers are not avoided',
  'partitioner.ignore.keys': 'set partitioner.class to "sticky" instead',
  'transaction.two.phase.commit.enable': 'only this producer ends its transactions',
  retries: 'writes are retried until delivery.timeout.ms has passed',
}

const IGNORED_BY_ADMINS: { readonly [property: string]: string } = {
  'bootstrap.controllers': 'requests go to brokers, which forward them to a controller',
  retries: 'requests are retried until default.api.timeout.ms has passed',
}

function ignored(reasons: { readonly [property: string]: string }): { readonly [property: string]: AnyField } {
  return Object.fromEntries(
    Object.entries(reasons).map(([name, reason]) => [name, field.any().optional().ignored(reason)]),
  )
}

/** Fields for what consumers accept without effect. */
export const IGNORED_CONSUMER_FIELDS: { readonly [property: string]: AnyField } = ignored({
  ...IGNORED_BY_ALL,
  ...IGNORED_BY_CONSUMERS,
})

/** Fields for what administrators accept without effect. */
export const IGNORED_ADMIN_FIELDS: { readonly [property: string]: AnyField } = ignored({
  ...IGNORED_BY_ALL,
  ...IGNORED_BY_ADMINS,
})

/** Fields for what producers accept without effect. */
export const IGNORED_PRODUCER_FIELDS: { readonly [property: string]: AnyField } = ignored({
  ...IGNORED_BY_ALL,
  ...IGNORED_BY_PRODUCERS,
})
