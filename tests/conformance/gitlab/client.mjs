// An independent client of GitLab's API: prints as JSON what it sees.
//
//   node client.mjs BASE_URL statuses PROJECT SHA | compare PROJECT FROM TO | hooks PROJECT | projects SEARCH | groups | add-hook PROJECT URL | break-hook PROJECT ID
import { Gitlab } from '@gitbeaker/rest';

const [host, call, ...words] = process.argv.slice(2);
const api = new Gitlab({ host, token: 'conformance-token' });
const calls = {
  statuses: (project, sha) => api.Commits.allStatuses(project, sha),
  compare: (project, from, to) => api.Repositories.compare(project, from, to, { straight: true }),
  hooks: (project) => api.ProjectHooks.all(project),
  projects: (search) => api.Projects.all({ membership: true, search, perPage: 2 }),
  groups: () => api.Groups.all({ minAccessLevel: 10 }),
  'add-hook': (project, url) => api.ProjectHooks.add(project, url, { pushEvents: true }),
  'break-hook': async (project, id) => {
    const hook = await api.ProjectHooks.show(project, Number(id));
    return api.ProjectHooks.edit(project, Number(id), hook.url, { tagPushEvents: false });
  },
  'set-status': (project, sha, state) => api.Commits.editStatus(project, sha, state, { name: 'other', ref: 'main' }),
  user: () => api.Users.showCurrentUser(),
  token: () => api.PersonalAccessTokens.show(),
};
console.log(JSON.stringify(await calls[call](...words)));
