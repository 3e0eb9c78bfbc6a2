//! Real configurations of IIS: all of their modules are there, and of the
//! damaged one as well.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod gather;

#[test]
fn configurations_of_exchange_servers() {
    let Some(data) = gather::data("exchange-log-formats") else { return };
    let folder = data.join("iis-config");
    let read = |file: &str| {
        let mut gathered = gather::all(&[folder.join(file)], &evidence::Limits::default());
        gathered.items.remove(0)
    };
    for file in ["E16/applicationHost.config", "E19/applicationHost.config", "E19/BadApplicationHost.config"]
    {
        let item = read(file);
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        let of = |element: &str| {
            let wanted = format!("Element = {element:?}");
            item.records.iter().filter(|record| record.contains(&wanted)).count()
        };
        assert_eq!(item.item.format, Some("iis-config"));
        assert_eq!(of("global-module"), text.matches(" image=\"").count(), "{file}");
        assert_eq!(of("virtual-directory"), text.matches("<virtualDirectory ").count(), "{file}");
        assert_eq!(of("application"), text.matches("<application path=").count(), "{file}");
        assert!(of("handler") > 50 && of("module") > 30, "{file}");
        let is_bad = file.contains("Bad");
        assert_eq!(item.item.problems.len(), usize::from(is_bad), "{file}: {:?}", item.item.problems);
    }
    let gathered = gather::all(&[folder], &evidence::Limits::default());
    assert!(gathered.items.len() > 50);
    for item in &gathered.items {
        assert_eq!(item.item.format, Some("iis-config"), "{}", item.item.path);
        assert!(!item.records.iter().any(|record| record.contains("\"script\"")), "{}", item.item.path);
    }
}
