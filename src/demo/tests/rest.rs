//! Every route of catalog and shop.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::client::{ask, get, send, store};
use crate::demo::Backend::{Catalog, Shop};
use crate::demo::Backends;

fn ids(list: &Value) -> Vec<&str> {
    list["items"].as_array().expect("a list").iter().map(|item| item["id"].as_str().expect("an id")).collect()
}

/// The status that a request is refused with, and its code.
async fn refused(
    backends: &Backends,
    backend: crate::demo::Backend,
    request: (Method, &str),
    body: Value,
) -> (u16, String) {
    let (status, json) = ask(backends, backend, request, &body).await;
    (status.as_u16(), json["error"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn products_come_in_pages_that_hold_each_product_once() {
    let backends = store().await;
    let (mut seen, mut path) = (Vec::new(), "/products?category=home&limit=100".to_owned());
    let total = loop {
        let page = get(&backends, Catalog, &path).await;
        seen.extend(ids(&page).into_iter().map(str::to_owned));
        let Some(next) = page["next"].as_str() else { break page["total"].as_u64() };
        path = format!("/products?category=home&limit=100&after={next}");
    };
    assert_eq!(total, Some(seen.len() as u64));
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(total, Some(seen.len() as u64));
    assert!(seen.len() > 200);
}

#[tokio::test]
async fn products_are_found_by_id_sku_and_seller() {
    let backends = store().await;
    let product = get(&backends, Catalog, "/products/p12").await;
    let sku = product["sku"].as_str().expect("a sku");
    assert!(sku.ends_with("-0012"));
    assert_eq!(ids(&get(&backends, Catalog, &format!("/products?sku={sku}&sku=none")).await), ["p12"]);
    assert_eq!(ids(&get(&backends, Catalog, "/products?ids=p3,p1&ids=p2").await), ["p1", "p2", "p3"]);
    let of_sellers = get(&backends, Catalog, "/products?seller=s1&seller=s2").await;
    let mut sellers: Vec<&str> =
        of_sellers["items"].as_array().expect("a list").iter().filter_map(|item| item["seller_id"].as_str()).collect();
    sellers.sort_unstable();
    sellers.dedup();
    assert_eq!(sellers, ["s1", "s2"]);
}

#[tokio::test]
async fn products_are_sorted_as_asked() {
    let backends = store().await;
    let cheapest = get(&backends, Catalog, "/products?sort=cheapest&limit=50").await;
    let prices: Vec<i64> =
        cheapest["items"].as_array().expect("a list").iter().filter_map(|item| item["price_cents"].as_i64()).collect();
    assert_eq!(prices.len(), 50);
    assert!(prices.is_sorted());
    let newest = get(&backends, Catalog, "/products?sort=newest&limit=50").await;
    let days: Vec<&str> =
        newest["items"].as_array().expect("a list").iter().filter_map(|item| item["added_at"].as_str()).collect();
    assert!(days.iter().rev().is_sorted());
}

#[tokio::test]
async fn related_products_are_others_of_the_same_category() {
    let backends = store().await;
    let product = get(&backends, Catalog, "/products/p1").await;
    let related = get(&backends, Catalog, "/products/p1/related?limit=3").await;
    let items = related["items"].as_array().expect("a list");
    assert_eq!(items.len(), 3);
    assert!(items.iter().all(|item| item["category_id"] == product["category_id"] && item["id"] != "p1"));
}

#[tokio::test]
async fn sellers_and_categories_are_looked_up_one_by_one_and_many_at_once() {
    let backends = store().await;
    assert_eq!(ids(&get(&backends, Catalog, "/sellers?ids=1,s2,s9").await), ["s2", "s9"]);
    assert_eq!(ids(&get(&backends, Catalog, "/sellers").await).len(), 50);
    assert_eq!(get(&backends, Catalog, "/sellers/s50").await["id"], "s50");
    assert_eq!(ids(&get(&backends, Catalog, "/categories?ids=tea&ids=desk").await), ["tea", "desk"]);
    assert_eq!(ids(&get(&backends, Catalog, "/categories?parent=home,play").await).len(), 6);
    assert_eq!(get(&backends, Catalog, "/categories/tea").await["parent_id"], "home");
    let departments = get(&backends, Catalog, "/categories?ids=home,work,outdoors,play").await;
    let products = departments["items"].as_array().expect("a list").iter().filter_map(|item| item["products"].as_u64());
    assert_eq!(products.sum::<u64>(), 1_000);
}

#[tokio::test]
async fn prices_are_an_object_by_sku_in_the_currency_asked_for() {
    let backends = store().await;
    let products = get(&backends, Catalog, "/products?ids=p4,p5").await;
    let [full, reduced] = [&products["items"][0], &products["items"][1]];
    let (full_sku, reduced_sku) = (full["sku"].as_str().expect("a sku"), reduced["sku"].as_str().expect("a sku"));
    let path = format!("/prices?sku={full_sku}&sku={reduced_sku}&sku=none");
    let prices = get(&backends, Catalog, &path).await;
    assert_eq!(prices.as_object().expect("an object").len(), 2);
    assert_eq!(prices[full_sku], json!({ "cents": full["price_cents"], "currency": "EUR", "was_cents": null }));
    assert_eq!(prices[reduced_sku]["was_cents"], reduced["price_cents"]);
    assert!(prices[reduced_sku]["cents"].as_i64() < reduced["price_cents"].as_i64());
    let dollars = get(&backends, Catalog, &format!("{path}&currency=USD")).await;
    assert_eq!(dollars[full_sku]["cents"].as_i64(), full["price_cents"].as_i64().map(|cents| cents * 108 / 100));
}

#[tokio::test]
async fn a_search_finds_products_and_sellers_that_hold_every_word() {
    let backends = store().await;
    let found = get(&backends, Catalog, "/search?q=MILL&limit=100").await;
    let items = found["items"].as_array().expect("a list");
    assert!(items.iter().any(|item| item["kind"] == "seller") && items.iter().any(|item| item["kind"] == "product"));
    let both = get(&backends, Catalog, "/search?q=pepper%20mill&limit=100").await;
    assert!(both["total"].as_u64() > Some(0));
    assert!(
        both["items"].as_array().expect("a list").iter().all(|item| item["name"].to_string().contains("Pepper Mill"))
    );
}

#[tokio::test]
async fn an_image_is_a_picture_of_its_product() {
    let backends = store().await;
    let image = send(&backends, Catalog, (Method::GET, "/images/p1.svg"), &Value::Null).await;
    assert_eq!(image.headers()["content-type"], "image/svg+xml");
    let name = get(&backends, Catalog, "/products/p1").await["name"].as_str().expect("a name").to_owned();
    assert!(String::from_utf8_lossy(image.body()).contains(&format!("<title>{name}</title>")));
    let head = send(&backends, Catalog, (Method::HEAD, "/images/p1.svg"), &Value::Null).await;
    assert!(head.status() == StatusCode::OK && head.body().is_empty());
}

#[tokio::test]
async fn the_catalog_refuses_in_json() {
    let backends = store().await;
    for path in
        ["/products/p0", "/products/p1001", "/products/p01", "/sellers/s51", "/categories/x", "/images/x.svg", "/x"]
    {
        assert_eq!(
            refused(&backends, Catalog, (Method::GET, path), Value::Null).await,
            (404, "not_found".into()),
            "{path}"
        );
    }
    for path in [
        "/products?limit=0",
        "/products?limit=101",
        "/products?sort=x",
        "/products?after=x",
        "/prices?currency=X",
        "/search",
    ] {
        assert_eq!(
            refused(&backends, Catalog, (Method::GET, path), Value::Null).await,
            (400, "bad_request".into()),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_customer_is_changed_in_the_members_that_are_sent() {
    let backends = store().await;
    let before = get(&backends, Shop, "/customers/c2").await;
    let change = json!({ "email": "new@example.com", "newsletter": null });
    let (status, after) = ask(&backends, Shop, (Method::PATCH, "/customers/c2"), &change).await;
    assert_eq!((status, &after["email"]), (StatusCode::OK, &json!("new@example.com")));
    assert_eq!((&after["newsletter"], &after["address"]), (&before["newsletter"], &before["address"]));
    assert_eq!(get(&backends, Shop, "/customers/c2").await, after);
    assert_eq!(ids(&get(&backends, Shop, "/customers?ids=c2,c1").await), ["c1", "c2"]);
    assert_eq!(ids(&get(&backends, Shop, "/customers").await).len(), 200);
    let wrong = refused(&backends, Shop, (Method::PATCH, "/customers/c2"), json!({ "email": "x" })).await;
    assert_eq!(wrong, (422, "impossible".into()));
}

#[tokio::test]
async fn lines_of_a_cart_are_put_and_removed() {
    let backends = store().await;
    let product = get(&backends, Catalog, "/products/p1").await;
    let line = format!("/customers/c10/cart/{}", product["sku"].as_str().expect("a sku"));
    assert_eq!(get(&backends, Shop, "/customers/c10/cart").await, json!({ "customer_id": "c10", "lines": [] }));
    for quantity in [2, 3] {
        let (_, cart) = ask(&backends, Shop, (Method::PUT, &line), &json!({ "quantity": quantity })).await;
        assert_eq!(cart["lines"], json!([{ "sku": product["sku"], "quantity": quantity }]));
    }
    let wrong = refused(&backends, Shop, (Method::PUT, &line), json!({ "quantity": 0 })).await;
    assert_eq!(wrong, (422, "impossible".into()));
    let unknown = refused(&backends, Shop, (Method::PUT, "/customers/c10/cart/X-1"), json!({ "quantity": 1 })).await;
    assert_eq!(unknown, (404, "not_found".into()));
    let (status, _) = ask(&backends, Shop, (Method::DELETE, &line), &Value::Null).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(get(&backends, Shop, "/customers/c10/cart").await["lines"], json!([]));
    assert_ne!(get(&backends, Shop, "/customers/c1/cart").await["lines"], json!([]));
    ask(&backends, Shop, (Method::DELETE, "/customers/c1/cart"), &Value::Null).await;
    assert_eq!(get(&backends, Shop, "/customers/c1/cart").await["lines"], json!([]));
}

fn payment(number: &str) -> Value {
    json!({ "customer_id": "c1", "amount": { "cents": 1250, "currency": "EUR" }, "card": { "number": number } })
}

#[tokio::test]
async fn a_card_that_ends_in_0000_is_refused_and_nothing_is_kept() {
    let backends = store().await;
    let (status, json) = ask(&backends, Shop, (Method::POST, "/payments"), &payment("4000 0000 0000 0000")).await;
    assert_eq!((status, &json["status"]), (StatusCode::PAYMENT_REQUIRED, &json!("refused")));
    assert!(json["reason"].is_string());
    assert_eq!(get(&backends, Shop, "/payments").await["items"], json!([]));
    let short = refused(&backends, Shop, (Method::POST, "/payments"), payment("12")).await;
    assert_eq!(short, (422, "impossible".into()));
}

#[tokio::test]
async fn an_order_is_paid_placed_shipped_and_told() {
    let backends = store().await;
    let (status, paid) = ask(&backends, Shop, (Method::POST, "/payments"), &payment("4000 0000 0000 0002")).await;
    assert_eq!((status, &paid["status"], &paid["card"]), (StatusCode::CREATED, &json!("accepted"), &json!("0002")));
    let lines = get(&backends, Shop, "/customers/c1/cart").await["lines"].clone();
    let order = json!({ "customer_id": "c1", "lines": lines, "total": paid["amount"], "payment_id": paid["id"] });
    let (status, placed) = ask(&backends, Shop, (Method::POST, "/orders"), &order).await;
    assert_eq!((status, &placed["status"], &placed["lines"]), (StatusCode::CREATED, &json!("PAID"), &lines));
    let address = get(&backends, Shop, "/customers/c1").await["address"].clone();
    let parcel = json!({ "order_id": placed["id"], "address": address });
    let (status, shipped) = ask(&backends, Shop, (Method::POST, "/shipments"), &parcel).await;
    assert_eq!((status, &shipped["address"]), (StatusCode::CREATED, &address));
    let id = placed["id"].as_str().expect("an id");
    assert_eq!(get(&backends, Shop, &format!("/orders/{id}")).await["status"], "SHIPPED");
    assert_eq!(get(&backends, Shop, "/orders?customer=c1").await["items"][0]["id"], id);
    assert_eq!(get(&backends, Shop, &format!("/shipments?order={id}")).await["items"][0], shipped);
    assert_eq!(get(&backends, Shop, "/shipments?order=o1").await["items"], json!([]));
    assert_eq!(get(&backends, Shop, "/payments").await["items"], json!([paid]));
    let message = json!({ "to": "a@example.com", "subject": "Your order", "text": "It is on its way." });
    let (status, _) = ask(&backends, Shop, (Method::POST, "/outbox"), &message).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_eq!(get(&backends, Shop, "/outbox").await["items"][0]["subject"], "Your order");
}

#[tokio::test]
async fn the_shop_refuses_in_json() {
    let backends = store().await;
    for path in ["/customers/c0", "/customers/c201", "/customers/x/cart", "/orders/o0", "/x"] {
        assert_eq!(
            refused(&backends, Shop, (Method::GET, path), Value::Null).await,
            (404, "not_found".into()),
            "{path}"
        );
    }
    assert_eq!(refused(&backends, Shop, (Method::GET, "/orders"), Value::Null).await, (400, "bad_request".into()));
    let unpaid =
        json!({ "customer_id": "c1", "lines": [], "total": { "cents": 1, "currency": "EUR" }, "payment_id": "y1" });
    assert_eq!(refused(&backends, Shop, (Method::POST, "/orders"), unpaid).await, (404, "not_found".into()));
    let malformed = refused(&backends, Shop, (Method::POST, "/orders"), json!({ "lines": 1 })).await;
    assert_eq!(malformed, (422, "invalid_body".into()));
}
