// The calls that the pages make, typed. One line per method of the API; see proto/ for what they promise.
import { call } from './client';
import type {
  Agent, ApiToken, Build, BuildSpec, BuildState, Connection, Event, QueueExplanation, RegistryCredential, RemoteRef, Repository, Role, Rule, Webhook,
} from './types';

type Page<Key extends string, Item> = { [K in Key]?: Item[] } & { next_page_token?: string };

export interface BuildFilter {
  states?: BuildState[];
  repository?: string;
  rule_id?: string;
}

// Builds.
export const listBuilds = (filter: BuildFilter, pageToken: string, signal?: AbortSignal) =>
  call<Page<'builds', Build>>('scheduler', 'ListBuilds', { ...filter, page_size: 50, page_token: pageToken }, signal);
export const getBuild = async (id: string, signal?: AbortSignal) =>
  (await call<{ build?: Build }>('scheduler', 'GetBuild', { id }, signal)).build ?? {};
export const createBuild = async (spec: BuildSpec, requestId: string) =>
  (await call<{ build?: Build }>('scheduler', 'CreateBuild', { spec, request_id: requestId })).build ?? {};
export const cancelBuild = async (id: string) => (await call<{ build?: Build }>('scheduler', 'CancelBuild', { id })).build ?? {};
export const retryBuild = async (id: string, requestId: string) =>
  (await call<{ build?: Build }>('scheduler', 'RetryBuild', { id, request_id: requestId })).build ?? {};
export const explainQueue = (id: string, signal?: AbortSignal) =>
  call<QueueExplanation>('scheduler', 'ExplainQueue', { build_id: id }, signal);
export const listAgents = async (signal?: AbortSignal) =>
  (await call<Page<'agents', Agent>>('scheduler', 'ListAgents', { page_size: 500, ...NO_PROJECT }, signal)).agents ?? [];
export const drainAgent = (id: string) => call('scheduler', 'DrainAgent', { id, ...NO_PROJECT });
export const undrainAgent = (id: string) => call('scheduler', 'UndrainAgent', { id, ...NO_PROJECT });

/** Keeps `call` from adding a project to requests that have no such field. */
const NO_PROJECT = { project: undefined };

// Rules and events.
export const listRules = async (signal?: AbortSignal) => all<'rules', Rule>('rules', 'ListRules', 'rules', {}, signal);
export const getRule = async (id: string, signal?: AbortSignal) => (await call<{ rule?: Rule }>('rules', 'GetRule', { id }, signal)).rule ?? {};
export const createRule = async (rule: Rule) => (await call<{ rule?: Rule }>('rules', 'CreateRule', { rule })).rule ?? {};
export const updateRule = async (rule: Rule, paths: string[]) =>
  (await call<{ rule?: Rule }>('rules', 'UpdateRule', { rule, update_mask: paths.map(lowerCamel).join(',') })).rule ?? {};
export const deleteRule = (id: string) => call('rules', 'DeleteRule', { id });
export const setRuleEnabled = async (id: string, enabled: boolean) =>
  (await call<{ rule?: Rule }>('rules', enabled ? 'EnableRule' : 'DisableRule', { id })).rule ?? {};
export const previewTags = async (templates: string[], ref: string, commit: string, signal?: AbortSignal) =>
  (await call<{ tags?: string[] }>('rules', 'PreviewTags', { tag_templates: templates, ref, commit, ...NO_PROJECT }, signal)).tags ?? [];
export const triggerRule = async (id: string, revision: string, requestId: string) =>
  (await call<{ event?: Event }>('rules', 'TriggerRule', { id, revision, request_id: requestId })).event ?? {};
export const listEvents = (repository: string, pageToken: string, signal?: AbortSignal) =>
  call<Page<'events', Event>>('rules', 'ListEvents', { repository, page_size: 50, page_token: pageToken }, signal);
export const getEvent = async (id: string, signal?: AbortSignal) => (await call<{ event?: Event }>('rules', 'GetEvent', { id }, signal)).event ?? {};

// Connections, refs, webhooks.
export const listConnections = (signal?: AbortSignal) => all<'connections', Connection>('registry', 'ListConnections', 'connections', {}, signal);
export const getConnection = async (id: string, signal?: AbortSignal) =>
  (await call<{ connection?: Connection }>('registry', 'GetConnection', { id }, signal)).connection ?? {};
export const createConnection = async (connection: Connection, token: string) =>
  (await call<{ connection?: Connection }>('registry', 'CreateConnection', { connection, token })).connection ?? {};
export const updateConnection = async (connection: Connection, paths: string[]) =>
  (await call<{ connection?: Connection }>('registry', 'UpdateConnection', { connection, update_mask: paths.map(lowerCamel).join(',') })).connection ?? {};
export const rotateConnectionToken = async (id: string, token: string, username: string) =>
  (await call<{ connection?: Connection }>('registry', 'RotateConnectionToken', { id, token, username })).connection ?? {};
export const deleteConnection = (id: string) => call('registry', 'DeleteConnection', { id });
export const verifyConnection = async (id: string) =>
  (await call<{ connection?: Connection }>('registry', 'VerifyConnection', { id })).connection ?? {};
export const listRefs = (connectionId: string, repository: string, signal?: AbortSignal) =>
  call<{ refs?: RemoteRef[]; default_branch?: string }>('registry', 'ListRefs', { connection_id: connectionId, repository }, signal);
/** Repositories whose name holds the query; servers that cannot list them have none. */
export const listRepositories = async (connectionId: string, query: string, signal?: AbortSignal) =>
  (await call<Page<'repositories', Repository>>('registry', 'ListRepositories', { connection_id: connectionId, query, page_size: 50 }, signal)).repositories ?? [];
export const listWebhooks = (connectionId: string, signal?: AbortSignal) =>
  all<'webhooks', Webhook>('registry', 'ListWebhooks', 'webhooks', { connection_id: connectionId }, signal);
export const createWebhook = (connectionId: string, repository: string) =>
  call<{ webhook?: Webhook; secret?: string; path?: string }>('registry', 'CreateWebhook', { connection_id: connectionId, repository });
export const deleteWebhook = (id: string) => call('registry', 'DeleteWebhook', { id });

// Registry credentials and API tokens.
export const listRegistryCredentials = (signal?: AbortSignal) =>
  all<'registry_credentials', RegistryCredential>('registry', 'ListRegistryCredentials', 'registry_credentials', {}, signal);
export const createRegistryCredential = async (credential: RegistryCredential, password: string) =>
  (await call<{ registry_credential?: RegistryCredential }>('registry', 'CreateRegistryCredential', { registry_credential: credential, password }))
    .registry_credential ?? {};
export const deleteRegistryCredential = (id: string) => call('registry', 'DeleteRegistryCredential', { id });
export const listApiTokens = (signal?: AbortSignal) => all<'api_tokens', ApiToken>('identity', 'ListApiTokens', 'api_tokens', {}, signal);
export const createApiToken = (displayName: string, role: Role, expireTime?: string) =>
  call<{ api_token?: ApiToken; token?: string }>('identity', 'CreateApiToken', { display_name: displayName, role, ...(expireTime ? { expire_time: expireTime } : {}) });
export const revokeApiToken = (id: string) => call('identity', 'RevokeApiToken', { id });

/** All pages of a list that people keep short (rules, connections, tokens); stops at 5,000 items. */
async function all<Key extends string, Item>(
  service: 'registry' | 'rules' | 'identity', method: string, key: Key, request: object, signal?: AbortSignal,
): Promise<Item[]> {
  const items: Item[] = [];
  let token = '';
  do {
    const page: Page<Key, Item> = await call<Page<Key, Item>>(service, method, { ...request, page_size: 500, page_token: token }, signal);
    items.push(...((page[key] as Item[] | undefined) ?? []));
    token = page.next_page_token ?? '';
  } while (token && items.length < 5000);
  return items;
}

/** A field mask's JSON form: `tag_templates` → `tagTemplates`. */
function lowerCamel(path: string): string {
  return path.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** A fresh id that makes repeating a creating call safe. */
export function newRequestId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return 'console-' + Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
