//! The composition files: backends of a domain, and what each of its resources answers.

use super::{Resource, domain_name};

/// The door.
pub(crate) const GATEWAY: &str =
    "gateway:\n  listen: 127.0.0.1:0\n  admin: { listen: 127.0.0.1:0 }\n  access_log: off\n";

/// The file of a domain.
pub(crate) fn text(domain: usize, resources: &[Resource]) -> String {
    let mut text = BACKENDS.replace("DOMAIN", &domain_name(domain));
    let sections = [("parts", PART), ("endpoints", ENDPOINTS), ("graph", FIELD)];
    for (section, template) in sections {
        text.push_str(&format!("\n{section}:\n"));
        for resource in resources {
            text.push_str(&filled(template, resource));
            match section {
                "endpoints" if resource.is_compared() => text.push_str(&filled(COMPARE, resource)),
                "graph" if resource.has_owner_field() => text.push_str(&filled(OWNER_FIELD, resource)),
                _ => {}
            }
        }
    }
    text
}

fn filled(template: &str, resource: &Resource) -> String {
    let owner = resource.owner();
    template
        .replace("OWNER", &owner.message())
        .replace("PACKAGE", &resource.package())
        .replace("DOMAIN", &resource.domain())
        .replace("NAME", &resource.message())
        .replace("PATH", &resource.path())
}

const BACKENDS: &str = r#"backends:
  DOMAIN:
    grpc: "${env('DOMAIN_ADDRESS', 'http://127.0.0.1:1')}"
    proto: proto/acme/DOMAIN
    reads: [Get, List, BatchGet]
    timeout: 2s
  DOMAIN_files:
    rest: http://127.0.0.1:2/DOMAIN
    headers: { x-caller: gateway }
    fail: { when: "${meta.status == 404}", status: 404, code: not_found, detail: "${reply.message}" }
"#;

const PART: &str = r#"  PATH_card:
    args: { id: ID!, language: String! }
    steps:
      found: { backend: DOMAIN, rpc: PACKAGE.NAMEs/Get, message: { id: "${args.id}", with_lines: true } }
      picture: { backend: DOMAIN_files, get: "/pictures/${found.id}", query: { language: "${args.language}" }, optional: true }
    result:
      id: ${found.id}
      title: ${found.title}
      state: ${found.state}
      total: "${default(found.total.cents, 0) / 100.0} ${default(found.total.currency, 'EUR')}"
      lines: ${found.lines.filter(line, line.quantity > 0).map(line, line.sku)}
      image: ${default(picture.url, '/none.svg')}
"#;

const ENDPOINTS: &str = r#"  GET /v1/DOMAIN/PATH/{id}:
    summary: One NAME with everything that its page shows
    args:
      id: ID!
      language: { type: String!, in: header, name: accept-language, default: en }
    timeout: 1s
    steps:
      card: { part: PATH_card, args: { id: "${args.id}", language: "${args.language}" } }
      itself: { backend: DOMAIN, rpc: PACKAGE.NAMEs/Get, message: { id: "${args.id}" } }
      owner:
        when: ${itself.owner_id != ''}
        backend: DOMAIN
        rpc: PACKAGE.OWNERs/Get
        message: { id: "${itself.owner_id}" }
        optional: true
      articles:
        for_each: { line: "${itself.lines}" }
        key: ${line.sku}
        max: 50
        over: cut
        backend: DOMAIN_files
        get: /articles/${line.sku}
        default: { name: unknown }
      related: { backend: DOMAIN, rpc: PACKAGE.NAMEs/List, message: { owner_id: "${itself.owner_id}", page: { size: 5 } } }
    result:
      card: ${card}
      owner: { $when: "${owner != null}", id: "${owner.id}", title: "${owner.title}" }
      opened: ${itself.opened_at}
      person: ${default(itself.person.first_name, 'nobody')} ${default(itself.person.last_name, '')}
      pieces: ${sum(itself.lines.map(line, line.quantity))}
      lines:
        $each: { line: "${itself.lines}" }
        $as:
          sku: ${line.sku}
          name: ${articles[line.sku].name}
          quantity: ${line.quantity}
          price: ${int(default(line.price.cents, 0) / 100)}
      related: ${related.items.map(other, other.title)}
  GET /v1/DOMAIN/PATH:
    summary: A page of NAME
    args:
      owner: { type: ID, in: query }
      size: { type: Int!, in: query, default: 20, min: 1, max: 100 }
      after: { type: String!, in: query, default: "" }
    steps:
      page:
        backend: DOMAIN
        rpc: PACKAGE.NAMEs/List
        message: { owner_id: "${default(args.owner, '')}", page: { size: "${args.size}", token: "${args.after}" }, states: [NAME_STATE_OPEN, NAME_STATE_HELD] }
    result:
      total: ${page.total}
      next: ${page.next_token}
      items:
        $each: { one: "${page.items}" }
        $as: { id: "${one.id}", title: "${one.title}", note: "${one.note}", changed: "${one.audit.changed_at}" }
  POST /v1/DOMAIN/PATH:
    summary: Makes a NAME
    body: NAMEInput
    steps:
      owner: { backend: DOMAIN, rpc: PACKAGE.OWNERs/Get, message: { id: "${args.body.owner}" }, read: true }
      open: { fail: { when: "${owner.state == 'OWNER_STATE_CLOSED'}", status: 409, code: owner_closed, detail: "${owner.title} is closed." } }
      made: { backend: DOMAIN, rpc: PACKAGE.NAMEs/Create, message: { owner_id: "${owner.id}", title: "${args.body.title}", lines: "${args.body.lines}", note: "${args.body.note}" } }
      noted: { backend: DOMAIN_files, post: /journal, body: { what: NAME, id: "${made.id}" }, optional: true }
    result: { id: "${made.id}", noted: "${noted != null}" }
    respond: { status: 201, headers: { location: "/v1/DOMAIN/PATH/${made.id}" } }
"#;

const COMPARE: &str = r#"  GET /v1/DOMAIN/PATH-compared:
    summary: Several NAME side by side
    args:
      ids: { type: "[ID!]!", in: query }
    steps:
      cards:
        for_each: { id: "${args.ids}" }
        parallel: 4
        max: 10
        over: fail
        optional: true
        part: PATH_card
        args: { id: "${id}", language: en }
    result: { items: "${cards}" }
"#;

const FIELD: &str = r#"  Query.PATH:
    steps: { found: { backend: DOMAIN, rpc: PACKAGE.NAMEs/Get, message: { id: "${args.id}", with_lines: "${args.lines}" } } }
"#;

const OWNER_FIELD: &str = r#"  NAME.owner:
    steps:
      owner:
        backend: DOMAIN
        rpc: PACKAGE.OWNERs/BatchGet
        message: { ids: "${keys}" }
        batch: { key: "${parent.owner_id}", from: "${reply.found}", by: "${index}", max: 50 }
"#;
