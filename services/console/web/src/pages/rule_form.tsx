// Making and changing a rule: validated while typing, with a look at real refs.
import { useState } from 'preact/hooks';
import { createRule, getRule, updateRule } from '../api/calls';
import { mayAct } from '../api/client';
import type { ApiError } from '../api/errors';
import type { Rule } from '../api/types';
import { checkName, checkRepository, checkTemplates, parseList } from '../model/checks';
import { plural } from '../model/format';
import { sampleRefs } from '../model/patterns';
import { checkPolicy, policyDraftOf, policyOf } from '../model/policy_draft';
import { checkDraft, draftFieldOf, draftOf, type RecipeDraft, recipeOf } from '../model/recipe_draft';
import { refPatternsOf, triggerDraftOf, triggerFieldOf, triggerOf } from '../model/trigger_draft';
import { AreaField, TextField } from '../ui/fields';
import { announce, refuseForm, useAction, useQuery, useTitle } from '../ui/hooks';
import { Button, ButtonLink, ErrorNote, Note, PageHead, Skeleton } from '../ui/parts';
import { PolicyFields } from '../ui/policy_fields';
import { DestinationFields, RecipeFields } from '../ui/recipe_fields';
import { RepositoryFields, useRefs } from '../ui/repository_fields';
import { navigate, useLocation } from '../ui/router';
import { TagPreview } from '../ui/tag_preview';
import { TriggerFields } from '../ui/trigger_fields';

/** A rule's page; `id` '' = a new one. */
export function RulePage({ id }: { id: string }) {
  const { query } = useLocation();
  const rule = useQuery(id, async (signal): Promise<Rule> => (id ? getRule(id, signal) : { connection_id: query.get('connection') ?? '', repository: query.get('repository') ?? '', trigger: { branches: ['main'] }, tag_templates: ['{commit:7}', 'latest'] }));
  useTitle(id ? (rule.value?.display_name ?? 'Rule') : 'New rule');
  const back = { href: '/rules', label: 'Repositories and rules' };
  return (
    <>
      <PageHead title={id ? <bdi>{rule.value?.display_name ?? 'Rule'}</bdi> : 'New rule'} back={back} actions={id && rule.value && <><ButtonLink href={`/builds?rule=${encodeURIComponent(id)}`}>Its builds</ButtonLink>{mayAct('developer') && <ButtonLink href={`/new?rule=${encodeURIComponent(id)}`}>Build now</ButtonLink>}</>} />
      {rule.error && <ErrorNote error={rule.error} retry={rule.reload} />}
      {!rule.value && rule.loading && <Skeleton />}
      {rule.value && <RuleForm key={rule.value.etag ?? ''} rule={rule.value} isNew={id === ''} onReload={rule.reload} />}
    </>
  );
}

const EXAMPLES = ['refs/heads/main', 'refs/heads/feature/login', 'refs/tags/v1.2.0'];

function RuleForm({ rule, isNew, onReload }: { rule: Rule; isNew: boolean; onReload: () => void }) {
  const [name, setName] = useState(rule.display_name ?? '');
  const [connectionId, setConnection] = useState(rule.connection_id ?? '');
  const [repository, setRepository] = useState(rule.repository ?? '');
  const [trigger, setTrigger] = useState(() => triggerDraftOf(rule.trigger));
  const [templates, setTemplates] = useState((rule.tag_templates ?? []).join('\n'));
  const [draft, setDraft] = useState(() => draftOf(rule.recipe, rule.destination));
  const [policy, setPolicy] = useState(() => policyDraftOf(rule.policy));
  const [templateProblem, setTemplateProblem] = useState('');
  const [insist, setInsist] = useState(false);
  const refs = useRefs(connectionId, repository.trim());
  const known = refs.state === 'known' ? refs.value : undefined;

  const templateList = parseList(templates);
  const localProblems = [
    checkName(name), connectionId ? '' : 'connection', checkRepository(repository.trim()), checkTemplates(templateList), templateProblem, ...Object.values(checkDraft(draft)), ...Object.values(checkPolicy(policy)),
  ].filter(Boolean);

  const save = useAction(async () => {
    setInsist(true);
    if (localProblems.length > 0) {
      refuseForm();
      return;
    }
    const wanted: Rule = { display_name: name.trim(), connection_id: connectionId, repository: repository.trim(), ...withKept(rule, draft), trigger: { ...rule.trigger, ...triggerOf(trigger) }, policy: policyOf(policy, rule.policy), tag_templates: templateList };
    if (isNew) await createRule(wanted);
    else await updateRule({ ...wanted, id: rule.id, etag: rule.etag }, ['display_name', 'trigger', 'recipe', 'destination', 'tag_templates', 'policy']);
    announce('The rule was saved.');
    navigate('/rules');
  });
  const own = serverProblems(save.error);
  const editable = mayAct('admin');

  return (
    <form class="form" noValidate onSubmit={(event) => { event.preventDefault(); void save.run(); }}>
      {!editable && <Note><p>You can look at this rule; changing it needs an administrator’s token.</p></Note>}
      <fieldset disabled={!editable}>
        <legend>Repository</legend>
        <RepositoryFields connectionId={connectionId} repository={repository} refs={refs} insist={insist} fixed={!isNew} onConnection={setConnection} onRepository={(value) => setRepository(value.trim())} problem={own.repository} />
        <TextField label="Name of the rule" value={name} onInput={setName} insist={insist || own.name !== ''} problem={checkName(name) || own.name} placeholder="app on main" />
      </fieldset>
      <fieldset disabled={!editable}>
        <legend>Which pushes build</legend>
        <TriggerFields draft={trigger} onChange={setTrigger} error={save.error} known={known} />
      </fieldset>
      <fieldset disabled={!editable}>
        <legend>Image</legend>
        <DestinationFields draft={draft} onChange={setDraft} insist={insist} error={save.error} />
        <AreaField
          label="Tags of the image" rows={2} value={templates} onInput={setTemplates} insist problem={checkTemplates(templateList) || templateProblem || own.templates} placeholder={'{commit:7}\nlatest'}
          hint={<>One template per line. <code>{'{branch}'}</code> <code>{'{tag}'}</code> <code>{'{ref}'}</code> <code>{'{commit:7}'}</code> <code>{'{time:%Y%m%d}'}</code>, or fixed text that every build moves.</>}
        />
        <TagPreview templates={checkTemplates(templateList) ? [] : templateList} known={known} destination={draft.destination} onProblem={setTemplateProblem}
          refs={known ? sampleRefs(known.refs.map((ref) => ref.name ?? ''), known.defaultBranch, refPatternsOf(triggerOf(trigger))) : EXAMPLES} />
      </fieldset>
      <fieldset disabled={!editable}>
        <legend>How it is built</legend>
        <RecipeFields draft={draft} onChange={setDraft} insist={insist} error={save.error} paths="choose" />
        <PolicyFields draft={policy} onChange={setPolicy} insist={insist} />
      </fieldset>
      {save.error && !own.shown && <ErrorNote error={save.error} retry={save.error.code === 'ABORTED' ? onReload : undefined} />}
      {insist && localProblems.length > 0 && <p class="problem" role="alert">{plural(localProblems.length, 'field needs', 'fields need')} to be corrected above.</p>}
      {editable && (
        <div class="row end">
          <ButtonLink href="/rules">Cancel</ButtonLink>
          <Button kind="primary" type="submit" busy={save.busy}>{isNew ? 'Make the rule' : 'Save'}</Button>
        </div>
      )}
    </form>
  );
}

/** The recipe and the destination of the form; what they hold besides, and this form does not show, stays as it is. */
function withKept(rule: Rule, draft: RecipeDraft): Pick<Rule, 'recipe' | 'destination'> {
  const { recipe, destination } = recipeOf(draft);
  const { timeout: _, ...kept } = rule.recipe ?? {};
  return { recipe: { ...kept, ...recipe }, destination: { ...rule.destination, ...destination } };
}

/** What the server said about fields of this form; `shown`: it stands next to its field, so the error need not be repeated. */
function serverProblems(error: ApiError | undefined) {
  const of = (test: RegExp) => (error && test.test(error.field) ? error.message : '');
  const found = {
    name: error?.code === 'ALREADY_EXISTS' ? 'This name is taken: choose another.' : of(/display_name$/),
    repository: of(/^(rule\.)?(repository|connection_id)$/),
    templates: of(/tag_templates/),
  };
  return { ...found, shown: Object.values(found).some(Boolean) || (error !== undefined && (draftFieldOf(error.field) !== '' || triggerFieldOf(error.field) !== '')) };
}
