// Starts GraphiQL on the path that the page was served from.
"use strict";

const WELCOME = `# The book at the left shows every type of this graph.
#
#   Ctrl-Enter     runs the operation at the cursor
#   Ctrl-Space     completes a name
#   Shift-Ctrl-P   sets the document in order

query {
  __typename
}
`;

const fetcher = GraphiQL.createFetcher({
  url: location.pathname,
  headers: { accept: "application/graphql-response+json, application/json;q=0.9" },
  enableIncrementalDelivery: false,
});

// A link may carry a request in the words of GraphQL over HTTP: `?query=…&variables=…`.
const linked = new URLSearchParams(location.search);

ReactDOM.createRoot(document.getElementById("page")).render(
  React.createElement(GraphiQL, {
    fetcher,
    defaultQuery: WELCOME,
    defaultEditorToolsVisibility: true,
    query: linked.get("query") ?? undefined,
    variables: linked.get("variables") ?? undefined,
    operationName: linked.get("operationName") ?? undefined,
  }),
);
