// The messages of Davit's API as JSON, as far as the console uses them: the proto files' field names, enums as names, timestamps as RFC 3339, 64-bit
// integers as strings. A field with its default value may be missing, so every field is optional here and readers say what stands for a missing one.

export type Timestamp = string;

export interface Recipe {
  dockerfile_path?: string;
  context_dir?: string;
  target?: string;
  platform?: string;
  build_args?: Record<string, string>;
  labels?: Record<string, string>;
  /** A duration in seconds with an `s`: `3600s`. */
  timeout?: string;
  secrets?: { id?: string; secret?: string }[];
}

export interface ImageDestination {
  repository?: string;
  registry_credential_id?: string;
}

export type Provider = 'PROVIDER_UNSPECIFIED' | 'PROVIDER_GITHUB' | 'PROVIDER_GITLAB' | 'PROVIDER_GENERIC_GIT';

export interface Connection {
  id?: string;
  project?: string;
  display_name?: string;
  provider?: Provider;
  base_url?: string;
  username?: string;
  state?: 'STATE_UNSPECIFIED' | 'STATE_ACTIVE' | 'STATE_INVALID';
  state_reason?: string;
  account?: string;
  scopes?: string[];
  verify_time?: Timestamp;
  token_expire_time?: Timestamp;
  create_time?: Timestamp;
  update_time?: Timestamp;
  probe_repository?: string;
}

export interface RemoteRef {
  name?: string;
  commit?: string;
}

/** A repository that a connection's token can see. */
export interface Repository {
  path?: string;
  default_branch?: string;
  archived?: boolean;
}

export interface RegistryCredential {
  id?: string;
  display_name?: string;
  registry?: string;
  username?: string;
  create_time?: Timestamp;
}

export interface Webhook {
  id?: string;
  connection_id?: string;
  repository?: string;
  provider?: Provider;
  create_time?: Timestamp;
}

export type Role =
  | 'ROLE_UNSPECIFIED'
  | 'ROLE_VIEWER'
  | 'ROLE_DEVELOPER'
  | 'ROLE_ADMIN'
  | 'ROLE_AGENT'
  | 'ROLE_GATEWAY'
  | 'ROLE_RULE_ENGINE'
  | 'ROLE_SCHEDULER'
  | 'ROLE_CONSOLE';

export interface ApiToken {
  id?: string;
  project?: string;
  display_name?: string;
  role?: Role;
  create_time?: Timestamp;
  expire_time?: Timestamp;
  revoke_time?: Timestamp;
  last_use_time?: Timestamp;
}

export type SupersedePolicy = 'SUPERSEDE_POLICY_UNSPECIFIED' | 'SUPERSEDE_POLICY_OFF' | 'SUPERSEDE_POLICY_SKIP_QUEUED' | 'SUPERSEDE_POLICY_CANCEL_RUNNING';

/** How a rule's builds share the queue; see proto/davit/common/v1/build_policy.proto. */
export interface BuildPolicy {
  priority?: number;
  supersede?: SupersedePolicy;
  max_concurrent?: number;
  infrastructure_retries?: number;
}

/** Which pushes build; see proto/davit/rules/v1/rule.proto for the patterns. */
export interface Trigger {
  branches?: string[];
  tags?: string[];
  exclude_branches?: string[];
  exclude_tags?: string[];
  paths?: string[];
  exclude_paths?: string[];
  authors?: string[];
  exclude_authors?: string[];
  ignore_skip_marks?: boolean;
}

export interface Rule {
  id?: string;
  project?: string;
  display_name?: string;
  enabled?: boolean;
  connection_id?: string;
  repository?: string;
  trigger?: Trigger;
  policy?: BuildPolicy;
  recipe?: Recipe;
  destination?: ImageDestination;
  tag_templates?: string[];
  etag?: string;
  create_time?: Timestamp;
  update_time?: Timestamp;
}

export interface PushEvent {
  repository?: string;
  ref?: string;
  before?: string;
  after?: string;
  forced?: boolean;
  pusher?: string;
  commits?: { id?: string; message?: string; author_name?: string }[];
  commits_truncated?: boolean;
}

export type ExplanationReason =
  | 'REASON_UNSPECIFIED'
  | 'REASON_MATCHED'
  | 'REASON_RULE_DISABLED'
  | 'REASON_BRANCH_NOT_MATCHED'
  | 'REASON_TAG_NOT_MATCHED'
  | 'REASON_ALREADY_BUILT'
  | 'REASON_NO_TAG'
  | 'REASON_BUILD_REFUSED'
  | 'REASON_REF_EXCLUDED'
  | 'REASON_PATHS_NOT_MATCHED'
  | 'REASON_AUTHOR_NOT_MATCHED'
  | 'REASON_SKIP_MARK';

export interface RuleExplanation {
  rule_id?: string;
  rule_display_name?: string;
  reason?: ExplanationReason;
  detail?: string;
  build_id?: string;
  tags?: string[];
}

export interface Event {
  id?: string;
  kind?: 'KIND_UNSPECIFIED' | 'KIND_WEBHOOK' | 'KIND_MANUAL' | 'KIND_RECONCILED';
  state?: 'STATE_UNSPECIFIED' | 'STATE_RECEIVED' | 'STATE_EVALUATED' | 'STATE_IGNORED';
  connection_id?: string;
  webhook_id?: string;
  delivery_id?: string;
  headers?: Record<string, string>;
  push?: PushEvent;
  detail?: string;
  explanations?: RuleExplanation[];
  receive_time?: Timestamp;
  evaluate_time?: Timestamp;
}

export type BuildState =
  | 'BUILD_STATE_UNSPECIFIED'
  | 'BUILD_STATE_QUEUED'
  | 'BUILD_STATE_RUNNING'
  | 'BUILD_STATE_PUBLISHING'
  | 'BUILD_STATE_SUCCEEDED'
  | 'BUILD_STATE_FAILED'
  | 'BUILD_STATE_CANCELLED'
  | 'BUILD_STATE_TIMED_OUT'
  | 'BUILD_STATE_SUPERSEDED'
  | 'BUILD_STATE_HELD';

export type BuildPhase = 'BUILD_PHASE_UNSPECIFIED' | 'BUILD_PHASE_FETCHING' | 'BUILD_PHASE_BUILDING' | 'BUILD_PHASE_PUSHING';

export interface Failure {
  failure_class?: 'FAILURE_CLASS_UNSPECIFIED' | 'FAILURE_CLASS_USER' | 'FAILURE_CLASS_INFRASTRUCTURE';
  message?: string;
}

export interface BuildAttempt {
  number?: number;
  agent_id?: string;
  agent_name?: string;
  fence?: string;
  start_time?: Timestamp;
  end_time?: Timestamp;
  outcome?: 'OUTCOME_UNSPECIFIED' | 'OUTCOME_SUCCEEDED' | 'OUTCOME_FAILED' | 'OUTCOME_CANCELLED' | 'OUTCOME_TIMED_OUT' | 'OUTCOME_LOST';
  failure?: Failure;
  log_size?: string | number;
  log_complete?: boolean;
}

export interface BuildTransition {
  state?: BuildState;
  phase?: BuildPhase;
  time?: Timestamp;
  detail?: string;
}

export interface BuildSpec {
  git?: { connection_id?: string; repository?: string; ref?: string; commit?: string };
  upload?: { upload_id?: string };
  recipe?: Recipe;
  destination?: ImageDestination;
  tags?: string[];
}

export interface Build {
  id?: string;
  project?: string;
  sequence?: string;
  spec?: BuildSpec;
  origin?: { rule_id?: string; event_id?: string; requested_by?: string; retry_of?: string };
  state?: BuildState;
  phase?: BuildPhase;
  failure?: Failure;
  image_digest?: string;
  tag_results?: { tag?: string; set?: boolean }[];
  cancel_requested?: boolean;
  attempts?: BuildAttempt[];
  transitions?: BuildTransition[];
  create_time?: Timestamp;
  start_time?: Timestamp;
  end_time?: Timestamp;
  version?: string;
  /** The newer build that ended this one before it was built, by its rule's policy. */
  superseded_by?: string;
}

export interface QueueExplanation {
  reason?: string;
  detail?: string;
  position?: string | number;
  not_before?: Timestamp;
}

export type UploadFormat = 'dockerfile' | 'tar' | 'zip';

export interface Upload {
  id?: string;
  format?: string;
  file_name?: string;
  size?: string | number;
  digest?: string;
}

export interface Agent {
  id?: string;
  name?: string;
  state?: 'STATE_UNSPECIFIED' | 'STATE_READY' | 'STATE_DRAINING' | 'STATE_OFFLINE';
  labels?: Record<string, string>;
  slots?: number;
  build_ids?: string[];
  version?: string;
  last_seen_time?: Timestamp;
}

/** Who is signed in: the record of the token that they signed in with. */
export interface Caller {
  project?: string;
  role?: Role;
  display_name?: string;
  expire_time?: Timestamp;
}

export interface Session {
  csrf_token: string;
  caller: Caller;
}
