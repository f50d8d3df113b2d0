// Origin and licences: provider-schemas/README.md. Apart from the folder of the schemas, kept as it came.
// Checks one outgoing provider request against the official API descriptions in provider-schemas/.
//   import { validateRequest } from '.../validate-request.mjs'
//   const problems = validateRequest({ method: 'POST', url: 'https://graph.microsoft.com/v1.0/me/sendMail', body })
// -> [] when the request is one the provider knows; else a list of plain sentences.
//   judgeRequest(same) -> { verdict: 'known' | 'violation' | 'unknown', problems }
// 'unknown' is an API (or a part of one) that schemas/ does not describe: nothing can be said for or against the request.
// Its sentences start with "unknown API: ", in validateRequest too.
// No dependencies. Knows Gmail v1, Calendar v3, People v1, OAuth2 v2 (Google) and the mail/calendar/contacts part of Graph v1.0.
import { readFileSync } from 'node:fs';

const load = (name) => JSON.parse(readFileSync(new URL(`./provider-schemas/${name}.json`, import.meta.url), 'utf8'));
const docs = {};
const doc = (name) => (docs[name] ??= load(name));
const UNKNOWN = 'unknown API: ';
const within = (label, problems) => problems.map((p) => (p.startsWith(UNKNOWN) ? `${UNKNOWN}${label}: ${p.slice(UNKNOWN.length)}` : `${label}: ${p}`));

/* ---------- Google: discovery documents ---------- */
const google = [
  ['gmail.googleapis.com', '/', 'google.gmail.v1.discovery'], ['www.googleapis.com', '/gmail/', 'google.gmail.v1.discovery'],
  ['www.googleapis.com', '/upload/gmail/', 'google.gmail.v1.discovery'], ['www.googleapis.com', '/resumable/upload/gmail/', 'google.gmail.v1.discovery'],
  ['www.googleapis.com', '/calendar/', 'google.calendar.v3.discovery'], ['calendar.googleapis.com', '/', 'google.calendar.v3.discovery'],
  ['people.googleapis.com', '/', 'google.people.v1.discovery'], ['www.googleapis.com', '/oauth2/', 'google.oauth2.v2.discovery'],
  ['www.googleapis.com', '/userinfo/', 'google.oauth2.v2.discovery'],
];
function* methods(resources = {}) {
  for (const r of Object.values(resources)) { yield* Object.values(r.methods ?? {}); yield* methods(r.resources); }
}
function matchTemplate(template, path) {
  const names = [];
  const re = template.replace(/[.*?^$()|[\]\\]/g, '\\$&').replace(/\{(\+?)([^}]+)\}/g, (_, plus, n) => { names.push(n); return plus ? '(.+?)' : '([^/]+)'; });
  const m = new RegExp(`^${re}$`).exec(path);
  return m && Object.fromEntries(names.map((n, i) => [n, decodeURIComponent(m[i + 1])]));
}
const undescribed = /^\/oauth2\/v[13]\/|\/settings\/cse\//; // real, but left out of the documents
const masks = new Set(['personFields', 'readMask', 'updatePersonFields', 'requestMask.includeField']);
function findGoogle(host, path) { return google.find(([h, prefix]) => host === h && path.startsWith(prefix))?.[2]; }
// POST /batch/NAME/VERSION: multipart/mixed, each part a request line, headers and perhaps a JSON body
function checkGoogleBatch(method, url, body, headers) {
  const [, api, version] = /^\/batch(?:\/([^/]+)\/([^/]+))?$/.exec(url.pathname) ?? [];
  const name = google.map((g) => g[2]).find((n) => (api ? n === `google.${api}.${version}.discovery` : n === findGoogle(url.hostname, '/')));
  const own = findGoogle(url.hostname, '/');
  if (!own && api && !google.some((g) => g[2].startsWith(`google.${api}.`))) return [`${UNKNOWN}no description for ${url.hostname}${url.pathname}`];
  if (!name || (own && own !== name)) return [`batch: no such address ${url.hostname}${url.pathname}`];
  if (method !== 'POST') return [`batch: ${method} is not allowed`];
  const out = [], type = contentType(headers);
  if (type && type !== 'multipart/mixed') out.push(`batch: content type ${type}, not multipart/mixed`);
  if (body === undefined) return out;
  const text = ArrayBuffer.isView(body) ? Buffer.from(body).toString() : String(body);
  const calls = [...text.matchAll(/^([A-Z]+) (\S+)(?: HTTP\/[\d.]+)?\r?$([^]*?)(?=^--|$(?![^]))/gm)];
  if (!calls.length) out.push('batch: no calls');
  if (calls.length > (name.startsWith('google.gmail.') ? 100 : 1000)) out.push(`batch: ${calls.length} calls are too many`);
  calls.forEach(([, verb, path, rest], i) => {
    const json = /\r?\n\r?\n\s*([{[][^]*)$/.exec(rest)?.[1];
    let inner; try { inner = json && JSON.parse(json); } catch { out.push(`batch ${i + 1}: the body is no JSON`); }
    if (!path.startsWith('/')) out.push(`batch ${i + 1}: ${path} must be a path only`);
    else if (path.startsWith('/upload/') || findGoogle(url.hostname, path) !== name) out.push(`batch ${i + 1}: ${path} belongs to another API`);
    else out.push(...within(`batch ${i + 1}`, checkGoogle(name, verb, new URL(path, url.origin), inner || undefined)));
  });
  return out;
}
function checkGoogle(name, method, url, body, media) {
  if (undescribed.test(url.pathname)) return [`${UNKNOWN}no description for ${url.pathname}`];
  const d = doc(name), out = [], base = new URL(d.baseUrl).pathname;
  const upload = /^\/(resumable\/)?upload\//.test(url.pathname), resumed = upload && method === 'PUT' && url.searchParams.has('upload_id');
  let found, args;
  for (const m of [...methods(d.resources), ...Object.values(d.methods ?? {})]) {
    if (m.httpMethod !== method && !(resumed && m.mediaUpload)) continue; // the bytes of a resumable upload are always PUT
    const paths = [base + (m.flatPath ?? m.path), ...Object.values(m.mediaUpload?.protocols ?? {}).map((p) => p.path)];
    for (const p of paths) { args = matchTemplate(p.replace(/\/\//g, '/'), url.pathname); if (args) { found = m; break; } }
    if (found) break;
  }
  if (!found) return [`${d.name}: no method ${method} ${url.pathname}`];
  const known = { ...d.parameters, ...found.parameters, uploadType: upload ? { enum: ['media', 'multipart', 'resumable'] } : {}, ...(resumed && { upload_id: {} }) };
  for (const [k, v] of url.searchParams) {
    const p = known[k];
    if (masks.has(k)) for (const f of v.split(',')) { const field = f.trim().replace(/^person\./, '').split('.')[0]; if (field !== '*' && !(field in d.schemas.Person.properties)) out.push(`${found.id}: ${k} names ${f}, which a person does not have`); }
    if (!p) { out.push(`${found.id}: unknown query parameter ${k}`); continue; }
    if (p.enum && !p.enum.includes(v)) out.push(`${found.id}: ${k}=${v} is none of ${p.enum.join(', ')}`);
    if (p.type === 'integer' && !/^-?\d+$/.test(v)) out.push(`${found.id}: ${k} is not an integer`);
    if (p.type === 'boolean' && !/^(true|false)$/.test(v)) out.push(`${found.id}: ${k} is not true or false`);
    if (p.maximum && Number(v) > Number(p.maximum)) out.push(`${found.id}: ${k} is above ${p.maximum}`);
  }
  for (const [k, p] of Object.entries(found.parameters ?? {})) if (p.required && p.location === 'query' && !url.searchParams.has(k)) out.push(`${found.id}: query parameter ${k} is missing`);
  if (found.request && body !== undefined && !media) walkGoogle(d, { $ref: found.request.$ref }, body, found.id, out);
  if (!found.request && body !== undefined && body !== null && Object.keys(body).length) out.push(`${found.id}: takes no body`);
  return out;
}
function walkGoogle(d, s, v, at, out) {
  if (s.$ref) s = d.schemas[s.$ref];
  if (v === null || v === undefined || !s || s.type === 'any') return;
  const t = Array.isArray(v) ? 'array' : typeof v;
  if (s.type === 'object') {
    if (t !== 'object') return void out.push(`${at}: ${t} where an object belongs`);
    for (const [k, x] of Object.entries(v)) {
      const p = s.properties?.[k] ?? s.additionalProperties;
      if (!p) out.push(`${at}.${k}: no such field`); else walkGoogle(d, p, x, `${at}.${k}`, out);
    }
  } else if (s.type === 'array') {
    if (t !== 'array') out.push(`${at}: ${t} where a list belongs`); else v.forEach((x, i) => walkGoogle(d, s.items, x, `${at}[${i}]`, out));
  } else if (s.type === 'integer' || s.type === 'number') { if (t !== 'number') out.push(`${at}: ${t} where a number belongs`); }
  else if (s.type === 'boolean') { if (t !== 'boolean') out.push(`${at}: ${t} where true or false belongs`); }
  else if (s.type === 'string') {
    if (t !== 'string' && !(s.format === 'int64' && t === 'number')) out.push(`${at}: ${t} where text belongs`);
    else if (s.enum && !s.enum.includes(v)) out.push(`${at}: ${v} is none of ${s.enum.join(', ')}`);
    else if (s.format === 'date-time' && !/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(v)) out.push(`${at}: ${v} is no date-time`);
    else if (s.format === 'date' && !/^\d{4}-\d\d-\d\d$/.test(v)) out.push(`${at}: ${v} is no date`);
    else if (s.format === 'byte' && !/^[A-Za-z0-9_\-+/=]*$/.test(v)) out.push(`${at}: not base64`);
  }
}

/* ---------- Microsoft Graph ---------- */
// Parts of v1.0 that the schema file lacks. Names from the same metadata (v1.0-Prod.csdl); a type with no details takes any value.
const names = (list) => Object.fromEntries(list.split(' ').map((n) => [n, {}]));
const ref = (type) => ({ $ref: `#/components/schemas/microsoft.graph.${type}` });
const json = (schema) => ({ content: { 'application/json': { schema } } });
const query = (list) => list.split(' ').map((name) => ({ name, in: 'query', schema: { type: /^\$(top|skip)$/.test(name) ? 'integer' : 'string' } }));
const getList = (type, options) => ({ parameters: query(options), responses: { 200: json({ type: 'array', items: ref(type) }) } });
const getOne = (type) => ({ parameters: query('$expand $select'), responses: { 200: json(ref(type)) } });
const change = (type) => ({ ...getOne(type), requestBody: json(ref(type)) });
const bytes = { get: { responses: {} } }, usual = '$count $filter $select $skip $top';
const moreTypes = {
  person: { base: 'entity', props: 'birthday companyName department displayName givenName imAddress isFavorite jobTitle officeLocation personNotes personType phones postalAddresses profession scoredEmailAddresses surname userPrincipalName websites yomiCompany' },
  place: { base: 'entity', props: 'address displayName geoCoordinates isWheelChairAccessible label parentId phone placeId tags' },
  room: { base: 'place', props: 'audioDeviceName bookingType building capacity displayDeviceName emailAddress floorLabel floorNumber nickname teamsEnabledState videoDeviceName' },
  roomList: { base: 'place', props: 'emailAddress rooms workspaces' },
};
const moreUser = 'aboutMe ageGroup assignedLicenses assignedPlans birthday city companyName country createdDateTime creationType department employeeHireDate employeeId employeeLeaveDateTime employeeOrgData employeeType externalUserState faxNumber hireDate identities interests isResourceAccount lastPasswordChangeDateTime mailNickname mySite onPremisesDistinguishedName onPremisesDomainName onPremisesExtensionAttributes onPremisesImmutableId onPremisesLastSyncDateTime onPremisesSamAccountName onPremisesSecurityIdentifier onPremisesSyncEnabled onPremisesUserPrincipalName pastProjects postalCode preferredDataLocation preferredName responsibilities schools securityIdentifier showInAddressList signInActivity skills state streetAddress usageLocation manager photo';
const morePaths = {
  '/users': { get: getList('user', '$count $expand $filter $orderby $search $select $top') },
  '/users/$count': { get: { parameters: query('$filter $search'), responses: {} } },
  '/users/delta()': { get: getList('user', '$expand $filter $select $top') },
  '/users/{user-id}/people': { get: getList('person', `${usual} $orderby $search`) },
  '/users/{user-id}/people/{person-id}': { get: getOne('person') },
  '/users/{user-id}/messages/{message-id}/attachments/{attachment-id}/$value': bytes,
  '/users/{user-id}/events/{event-id}/attachments/{attachment-id}/$value': bytes,
  '/users/{user-id}/calendar/calendarPermissions': { get: getList('calendarPermission', usual), post: change('calendarPermission') },
  '/users/{user-id}/calendar/calendarPermissions/{calendarPermission-id}': { get: getOne('calendarPermission'), patch: change('calendarPermission'), delete: getOne('calendarPermission') },
  '/places/microsoft.graph.room': { get: getList('room', usual) },
  '/places/microsoft.graph.roomList': { get: getList('roomList', usual) },
  '/places/{place-id}': { get: getOne('place'), patch: change('place') },
  '/places/{place-id}/microsoft.graph.roomList/rooms': { get: getList('room', usual) },
};
// Real names of Graph beside the part described here: top level, and below a user.
const elsewhere = [
  /^(admin|agreements?|appCatalogs|applications|auditLogs|chats|communications|contacts|copilot|deviceManagement|devices|directory(Objects|Roles)?|domains|drives?|education|external|groups|identity\w*|invitations|oauth2PermissionGrants|organization|permissionGrants|planner|policies|print|reports|roleManagement|schemaExtensions|search|security|servicePrincipals|shares|sites|solutions|storage|subscribedSkus|teams|teamwork|tenantRelationships|\$metadata)(\/|$)/i,
  /^users\/[^/]+\/(activities|authentication|chats|createdObjects|directReports|drives?|extensions|followedSites|insights|joinedTeams|licenseDetails|managedDevices|manager|memberOf|onenote|onlineMeetings|ownedDevices|ownedObjects|photos|planner|presence|registeredDevices|settings|solutions|sponsors|teamwork|todo|transitiveMemberOf|assignLicense|changePassword|revokeSignInSessions|checkMember(Groups|Objects)|getMember(Groups|Objects))(\/|$)/i,
  /^places\/microsoft\.graph\.(building|desk|floor|section|workspace)(\/|$)/i,
];
// The same thing by a longer way, and the way it is described by.
const cast = /^microsoft\.graph\.\w+$/i, ID = '(?!(?:\\$[^/]*|delta|microsoft\\.graph\\.\\w+)(?:/|$))[^/()]+';
const shorter = [
  `(users/ID)/calendarGroups/ID(/calendars/.+)`, `(users/ID/calendar)s/ID(/(?:calendarView|calendarPermissions).*)`,
  `(users/ID)/calendar(?:s/ID)?(/events/ID.*)`,
  `(users/ID/mailFolders)/ID/childFolders(/ID/childFolders.*)`, `(users/ID/contactFolders)/ID/childFolders(/ID/childFolders.*)`,
  `(users/ID)/mailFolders/ID(?:/childFolders/ID)*(/messages/ID/.+)`,
].map((re) => new RegExp(`^${re.replaceAll('ID', ID)}$`, 'i'));

function graph() {
  const d = doc('msgraph-v1.0.openapi'), types = d.components.schemas;
  if (d.ready) return d;
  for (const [n, t] of Object.entries(moreTypes)) types[`microsoft.graph.${n}`] = { type: 'object', 'x-base': `microsoft.graph.${t.base}`, properties: names(t.props) };
  types['microsoft.graph.user'].properties = { ...names(moreUser), ...types['microsoft.graph.user'].properties };
  Object.assign(d.paths, morePaths);
  delete d.paths['/users/{user-id}/messages/delta()']; // in the metadata, but the service answers only for one folder
  d.ready = Object.entries(d.paths).map(([template, ops]) => {
    const called = template.includes('(') || Object.keys(ops).join() === 'post'; // functions and actions may carry the namespace
    const parts = template.slice(1).split('/').map((s, i, all) => {
      if (/^\{[^}]+\}$/.test(s)) return new RegExp(`^${ID}$`, 'i');
      const value = (_, n) => (n === 'TimeZoneStandard' ? "'(?:windows|iana)'" : "'[^']*'");
      const re = s.replace(/\(\)$/, '').replace(/[.$()]/g, '\\$&').replace(/'\{(\w+)\}'/g, value);
      return new RegExp(`^${called && i === all.length - 1 ? '(?:microsoft\\.graph\\.)?' : ''}${re}${s.endsWith('()') ? '(?:\\(\\))?' : ''}$`, 'i');
    });
    return { template, ops, parts, fixed: template.slice(1).split('/').filter((s) => !s.startsWith('{')).length };
  });
  return d;
}
const paging = new Set(['$skiptoken', '$deltatoken']);
const contentType = (headers) => (headers?.['content-type'] ?? headers?.['Content-Type'])?.split(';')[0].trim().toLowerCase();
function graphProps(type) {
  const s = graph().components.schemas[type];
  if (!s) return null;
  const up = s['x-base'] ? graphProps(s['x-base']) : null;
  return { props: { ...up?.props, ...s.properties }, links: [...(up?.links ?? []), ...(s['x-navigation'] ?? [])], open: Boolean(s['x-open'] || up?.open) };
}
function isA(type, base) { return type === base || (Boolean(type) && isA(graph().components.schemas[type]?.['x-base'], base)); }
// "microsoft.graph.itemattachment" as a kind of `base`, in the schema's spelling
function castTo(said, base) {
  const type = Object.keys(graph().components.schemas).find((t) => t.toLowerCase() === said.toLowerCase());
  return base && type && isA(type, base) ? type : undefined;
}
function returned(op) { // [type of the answer, is it a list]
  const s = JSON.stringify(op.responses), list = s.match(/"items":\{"\$ref":"#\/components\/schemas\/([^"]+)"/)?.[1];
  return list ? [list, true] : [s.match(/"schema":\{"\$ref":"#\/components\/schemas\/([^"]+)"/)?.[1], false];
}
// -> { op, template, item, list }, { seen: true } for the wrong method, or undefined
function locate(path, method) {
  for (let way = path; way;) {
    const segs = way.split('/'), hits = graph().ready.filter((t) => t.parts.length === segs.length && t.parts.every((p, i) => p.test(segs[i])));
    const best = hits.filter((t) => t.ops[method.toLowerCase()]).sort((a, b) => b.fixed - a.fixed)[0]; // the template with fewest holes wins
    if (best) { const op = best.ops[method.toLowerCase()], [item, list] = returned(op); return { op, template: best.template, item, list }; }
    if (hits.length) return { seen: true };
    const re = shorter.find((x) => x.test(way));
    way = re && way.replace(re, '$1$2');
  }
  const segs = path.split('/'), i = segs.findLastIndex((s) => cast.test(s)), base = i > 0 && locate(segs.slice(0, i).join('/'), 'GET');
  const type = base?.op && castTo(segs[i], base.item), rest = segs.slice(i + 1);
  if (!type || rest.length > 1 || (rest.length && base.list)) return undefined;
  if (method !== 'GET') return { seen: true };
  const template = `${base.template}/${type}`;
  if (!rest.length) return { ...base, template, item: type };
  const { links, props } = graphProps(type), link = links.find((n) => n.toLowerCase() === rest[0].toLowerCase());
  const to = link && JSON.stringify(props[link]).match(/schemas\/microsoft\.graph\.(\w+)/)?.[1];
  return to ? { op: getOne(to), template: `${template}/${link}`, item: `microsoft.graph.${to}`, list: false } : undefined;
}
// users('a@b.c') is users/a@b.c, /me is /users/me; each segment decoded
function graphPath(pathname) {
  const segs = pathname.split('/').slice(2).map((s) => decodeURIComponent(s).replaceAll('/', '%2F').replace(/=microsoft\.graph\.\w+'/g, "='"));
  return segs.map((s) => s.replace(/^(\w+)\('([^']*)'\)$/, '$1/$2')).join('/').replace(/^me(?=\/|$)/i, 'users/me');
}
function checkGraphBatch(method, body) {
  if (method !== 'POST') return [`$batch: ${method} is not allowed`];
  if (!Array.isArray(body?.requests)) return ['$batch: no requests'];
  const out = [], ids = body.requests.map((r) => r.id);
  if (ids.length > 20) out.push('$batch: more than 20 requests');
  if (new Set(ids).size < ids.length) out.push('$batch: two requests have the same id');
  for (const r of body.requests) {
    if (typeof r.id !== 'string' || typeof r.method !== 'string' || typeof r.url !== 'string') out.push('$batch: a request needs id, method and url');
    else if (/^https?:|^\/?(v1\.0|beta)\//i.test(r.url)) out.push(`$batch ${r.id}: the url is relative, without the version`);
    else out.push(...within(`$batch ${r.id}`, checkGraph(r.method.toUpperCase(), new URL(`https://graph.microsoft.com/v1.0/${r.url.replace(/^\//, '')}`), r.body, r.headers)));
  }
  return out;
}
function checkGraph(method, url, body, headers) {
  const out = [], path = graphPath(url.pathname);
  if (path.toLowerCase() === '$batch') return checkGraphBatch(method, body);
  const { op, template, item, list, seen } = locate(path, method) ?? {};
  if (!op && seen) return [`Graph: ${method} is not allowed on /${path}`];
  if (!op && elsewhere.some((re) => re.test(path))) return [`${UNKNOWN}Graph has /${path}, but it is not in the mail, calendar and contacts part`];
  if (!op) return [`Graph: no path /${path} in the mail, calendar and contacts part`];
  const at = `${method} ${template}`;
  const q = (op.parameters ?? []).filter((p) => p.in === 'query');
  for (const [k, v] of url.searchParams) {
    if (paging.has(k.toLowerCase()) && list && method === 'GET' && (/^\$skip/.test(k) || template.endsWith('/delta()'))) continue;
    const p = q.find((x) => x.name === k || (!k.startsWith('$') && x.name.toLowerCase() === k.toLowerCase()));
    if (!p) out.push(`${at}: unknown query parameter ${k}`);
    else if (p.schema.type === 'integer' && !/^\d+$/.test(v)) out.push(`${at}: ${k} is not a number`);
    if (k === '$top' && Number(v) > 1000) out.push(`${at}: $top above 1000`);
  }
  const given = [...url.searchParams.keys()].map((k) => k.toLowerCase());
  if (!given.some((k) => paging.has(k))) for (const p of q) if (p.required && !given.includes(p.name.toLowerCase())) out.push(`${at}: query parameter ${p.name} is missing`);
  for (const k of ['$select', '$orderby']) {
    const g = item && graphProps(item);
    if (!g || !url.searchParams.has(k)) continue;
    for (const part of url.searchParams.get(k).split(',')) {
      const [name, below] = part.trim().split(/[\s/]/);
      const type = cast.test(name) && castTo(name, item); // microsoft.graph.fileAttachment/contentId
      if (type) { if (!(below in graphProps(type).props)) out.push(`${at}: ${k} names ${below ?? name}, which ${type} does not have`); }
      else if (name && !name.startsWith('@') && !(name in g.props)) out.push(`${at}: ${k} names ${name}, which ${item} does not have`);
    }
  }
  const content = op.requestBody?.content, schema = content?.['application/json']?.schema;
  const type = contentType(headers) ?? 'application/json';
  if (body !== undefined && type === 'application/json') {
    if (!schema && content === undefined) { if (body && Object.keys(body).length) out.push(`${at}: takes no body`); }
    else if (schema) walkGraph(schema, body, at, out, method === 'PATCH');
  }
  return out;
}
function walkGraph(s, v, at, out, existing = false) { // existing: the object is there already, so its kind is known
  if (s.anyOf) { if (v === null) return; s = s.anyOf[0]; }
  if (v === null || v === undefined) return;
  const t = Array.isArray(v) ? 'array' : typeof v;
  if (s.$ref) {
    const name = s.$ref.split('/').pop(), type = graph().components.schemas[name];
    if (type.enum) { if (!type.enum.some((x) => x.toLowerCase() === String(v).toLowerCase())) out.push(`${at}: ${JSON.stringify(v)} is none of ${type.enum.join(', ')}`); return; }
    if (type['x-flags']) return;
    if (t !== 'object') return void out.push(`${at}: ${t} where a ${name} belongs`);
    const said = typeof v['@odata.type'] === 'string' ? v['@odata.type'].replace(/^#/, '') : name;
    const g = graphProps(said);
    if (!g) return void out.push(`${at}: unknown @odata.type ${said}`);
    if (graph().components.schemas[said]['x-abstract'] && said !== 'microsoft.graph.entity' && !existing) out.push(`${at}: ${said} is abstract, name the kind in @odata.type`);
    const free = isA(said, 'microsoft.graph.extension'); // an open extension takes any property; other open types only names with a dot
    for (const [k, x] of Object.entries(v)) {
      if (k.includes('@odata.')) continue;
      if (g.props[k]) walkGraph(g.props[k], x, `${at}.${k}`, out);
      else if (!free && (!g.open || !k.includes('.'))) out.push(`${at}.${k}: ${said} has no such property`);
    }
    return;
  }
  const types = [].concat(s.type ?? []);
  if (types.includes('array')) { if (t !== 'array') out.push(`${at}: ${t} where a list belongs`); else v.forEach((x, i) => walkGraph(s.items, x, `${at}[${i}]`, out)); }
  else if (s.properties) {
    if (t !== 'object') return void out.push(`${at}: ${t} where an object belongs`);
    const low = Object.fromEntries(Object.entries(s.properties).map(([k, p]) => [k.toLowerCase(), p])); // action parameters: case does not matter
    for (const [k, x] of Object.entries(v)) { const p = low[k.toLowerCase()]; if (!p) out.push(`${at}.${k}: no such parameter`); else walkGraph(p, x, `${at}.${k}`, out); }
  } else if (types.includes('string')) { if (t !== 'string') out.push(`${at}: ${t} where text belongs`); else if (s.format === 'date-time' && !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.test(v)) out.push(`${at}: ${v} is no date-time`); }
  else if (types.includes('integer') || types.includes('number')) { if (t !== 'number') out.push(`${at}: ${t} where a number belongs`); }
  else if (types.includes('boolean') && t !== 'boolean') out.push(`${at}: ${t} where true or false belongs`);
}

export function validateRequest({ method, url, body, headers, media = false }) {
  const u = new URL(url);
  if (u.hostname === 'graph.microsoft.com') {
    if (u.pathname.startsWith('/beta/')) return [`${UNKNOWN}Graph: only /v1.0 is described`];
    return /^\/v1\.0\//i.test(u.pathname) ? checkGraph(method, u, body, headers) : ['Graph: the path must start with /v1.0/'];
  }
  if (u.hostname.endsWith('googleapis.com') && /^\/batch(\/|$)/.test(u.pathname)) return checkGoogleBatch(method, u, body, headers);
  const hit = findGoogle(u.hostname, u.pathname);
  if (hit) return checkGoogle(hit, method, u, body, media || /^\/(resumable\/)?upload\//.test(u.pathname));
  return [`${UNKNOWN}no description for ${u.hostname}${u.pathname}`];
}
export function judgeRequest(request) {
  const problems = validateRequest(request);
  const verdict = !problems.length ? 'known' : problems.every((p) => p.startsWith(UNKNOWN)) ? 'unknown' : 'violation';
  return { verdict, problems };
}
