"""Issues of how CKAN's programs are started, run and ended."""

from __future__ import annotations

from dcor_pkg.known_issues.entry import WITH_PACKAGE, WITH_UPSTREAM, Entry, Place, Sign, Text

ENTRIES = (
    Entry(
        name="ckan_as_root",
        symptom="PermissionError: [Errno 13] Permission denied: '/data/ckan/storage/uploads/group', and 500, for "
        "group_create, after root has run ckan",
        package="ckan",
        since="2.9.0",
        until="",
        cause=Text(
            "CKAN's command runs as whoever calls it, and makes directories and files of root's in those of CKAN.",
            "CKANs Befehl läuft als der, der ihn aufruft, und legt in CKANs Verzeichnissen Dateien an, die root gehören.",
        ),
        cost=Text(
            "Pictures of circles and collections cannot be uploaded any more, and their forms fail.",
            "Bilder von Kreisen und Sammlungen lassen sich nicht mehr hochladen, und ihre Formulare scheitern.",
        ),
        found=Text(
            "The steps of CKAN's directories compare their owners.",
            "Die Schritte für CKANs Verzeichnisse vergleichen deren Besitzer.",
        ),
        cure=Text(
            "bin/ckan and bin/dcor of each release become CKAN's user first; the owner of the directories is set again.",
            "bin/ckan und bin/dcor jedes Release werden zuerst CKANs Benutzer; der Besitzer der Verzeichnisse wird wieder "
            "gesetzt.",
        ),
        undone=WITH_PACKAGE,
        place=Place.RELEASE,
        where="bin/ckan",
        test="tests/system/test_access.py::test_the_commands_of_the_manual_do_not_run_as_root",
        signs=(Sign("directory .*", "is root:root"),),
    ),
    Entry(
        name="matplotlib_directory",
        symptom="PermissionError: [Errno 13] Permission denied: '/tmp/matplotlib', in a job of dc_view",
        package="ckanext-dc_view",
        since="0.6.10",
        until="",
        cause=Text(
            "ckanext-dc_view sets MPLCONFIGDIR=/tmp/matplotlib, a name that whoever comes first on the machine owns.",
            "ckanext-dc_view setzt MPLCONFIGDIR=/tmp/matplotlib; der Name gehört dem, der auf der Maschine zuerst kommt.",
        ),
        cost=Text("No previews are made any more.", "Es entstehen keine Vorschauen mehr."),
        found=Text("MPLCONFIGDIR in ckanext/dc_view/jobs.py", "MPLCONFIGDIR in ckanext/dc_view/jobs.py"),
        cure=Text(
            "CKAN's unit has a /tmp of its own (PrivateTmp=yes).",
            "CKANs Unit hat ein eigenes /tmp (PrivateTmp=yes).",
        ),
        undone=WITH_PACKAGE,
        place=Place.UNIT,
        where="dcor-ckan.service",
        test="tests/system/test_taken_over.py::test_each_unit_is_confined",
    ),
    Entry(
        name="libmagic_missing",
        symptom="ImportError: failed to find libmagic. Check your installation, from ckan generate config",
        package="python-ckan",
        since="2.9.0",
        until="",
        cause=Text(
            "Upstream's package does not depend on libmagic, which CKAN loads by name.",
            "Das Paket von CKAN hängt nicht von libmagic ab, das CKAN beim Namen lädt.",
        ),
        cost=Text(
            "On a minimal Debian CKAN's command ends in a traceback, and the installation fails.",
            "Auf einem kleinen Debian endet CKANs Befehl mit einem Traceback, und die Installation scheitert.",
        ),
        found=Text("Depends of the package python-ckan", "Depends des Pakets python-ckan"),
        cure=Text(
            "python-ckan of this repository depends on libmagic1t64 or libmagic1.",
            "python-ckan aus diesem Repository hängt von libmagic1t64 oder libmagic1 ab.",
        ),
        undone=WITH_PACKAGE,
        place=Place.PACKAGE,
        where="python-ckan",
        test="tests/system/test_issues_reproduced.py::test_ckans_command_needs_a_library_which_its_package_brings",
    ),
    Entry(
        name="supervisor_waits_at_boot",
        symptom="502 Bad Gateway for 20 s after a boot; INFO exited: ckan-uwsgi-00 (exit status 1; not expected)",
        package="supervisor",
        since="4.2.5",
        until="",
        cause=Text(
            "Debian's supervisor starts CKAN before its database and search answer; CKAN fails, and is tried again later.",
            "Debians supervisor startet CKAN, bevor Datenbank und Suche antworten; CKAN scheitert und wird später noch "
            "einmal gestartet.",
        ),
        cost=Text(
            "The site is down longer than it need be after each boot.", "Nach jedem Start fehlt die Seite länger."
        ),
        found=Text(
            "After= of the unit in which CKAN runs does not name the engines",
            "After= der Unit, in der CKAN läuft, nennt die Dienste nicht",
        ),
        cure=Text(
            "CKAN has a unit of its own, which starts after the engines.",
            "CKAN hat eine eigene Unit, die nach den Diensten startet.",
        ),
        undone=WITH_PACKAGE,
        place=Place.STEP,
        where="file /etc/systemd/system/dcor-ckan.service.d/dcor-server.conf",
        test="tests/system/test_issues_reproduced.py::test_ckan_starts_when_its_database_answers",
    ),
    Entry(
        name="supervisor_restarted_by_inspect",
        symptom="502 Bad Gateway for every request, after dcor inspect --assume-yes",
        package="dcor_control",
        since="0.7.5",
        until="",
        cause=Text(
            "dcor inspect runs `supervisorctl reload`, which ends all programs and starts them again.",
            "dcor inspect führt `supervisorctl reload` aus, das alle Programme beendet und neu startet.",
        ),
        cost=Text("Requests fail and jobs are killed.", "Anfragen scheitern, und Jobs werden abgebrochen."),
        found=Text(
            "reload_supervisord in dcor_control/cli/inspect.py", "reload_supervisord in dcor_control/cli/inspect.py"
        ),
        cure=Text(
            "CKAN's programs are below a supervisor of their own, which dcor inspect does not know; converge does its work.",
            "CKANs Programme laufen unter einem eigenen supervisor, den dcor inspect nicht kennt; converge tut dessen Arbeit.",
        ),
        undone=WITH_PACKAGE,
        place=Place.UNIT,
        where="dcor-ckan.service",
        test="tests/system/test_taken_over.py::test_what_happens_to_debians_supervisor_does_not_disturb",
    ),
    Entry(
        name="programs_outlive_supervisor",
        symptom="jobs are done with the former configuration, after supervisord was killed",
        package="supervisor",
        since="4.2.5",
        until="",
        cause=Text(
            "Debian's unit has KillMode=process: what supervisord has started lives on without it.",
            "Debians Unit hat KillMode=process: Was supervisord gestartet hat, lebt ohne ihn weiter.",
        ),
        cost=Text(
            "Programs of before write into the database and the store while nobody knows of them.",
            "Programme von früher schreiben in Datenbank und Speicher, ohne dass jemand von ihnen weiß.",
        ),
        found=Text(
            "Processes of CKAN's that do not belong to its unit.",
            "Prozesse von CKAN, die nicht zu dessen Unit gehören.",
        ),
        cure=Text(
            "CKAN's own unit has KillMode=mixed; others' processes are ended.",
            "CKANs eigene Unit hat KillMode=mixed; fremde Prozesse werden beendet.",
        ),
        undone=WITH_PACKAGE,
        place=Place.STEP,
        where="programs outside of their unit",
        test="tests/system/test_killed.py::test_a_program_outside_of_its_unit_is_named_and_ended",
        signs=(Sign("programs outside of their unit"),),
    ),
    Entry(
        name="stop_signal_ignored",
        symptom="waited 600 s for ckan-uwsgi to stop; WARN killing 'ckan-uwsgi-00' with SIGKILL",
        package="python-ckan",
        since="2.9.0",
        until="",
        cause=Text(
            "Upstream's file for supervisor stops uWSGI by QUIT, which it ignores with die-on-term.",
            "CKANs Datei für supervisor beendet uWSGI mit QUIT, das es mit die-on-term nicht beachtet.",
        ),
        cost=Text(
            "Each restart hangs for ten minutes, and ends with requests cut off.",
            "Jeder Neustart hängt zehn Minuten und schneidet am Ende Anfragen ab.",
        ),
        found=Text("stopsignal = QUIT in supervisor's file", "stopsignal = QUIT in der Datei von supervisor"),
        cure=Text(
            "Programs of each release stop by TERM, and answer the present requests first.",
            "Die Programme jedes Release enden mit TERM und beantworten zuerst die laufenden Anfragen.",
        ),
        undone=WITH_PACKAGE,
        place=Place.STEP,
        where="active release",
        test="tests/system/test_issues_reproduced.py::test_a_web_server_ends_by_the_signal_that_it_gets",
    ),
    Entry(
        name="connections_after_fork",
        symptom="psycopg2.OperationalError: SSL error: decryption failed or bad record mac",
        package="ckan",
        since="2.9.0",
        until="",
        cause=Text(
            "uWSGI loads CKAN once and forks; the workers then use the same connections to PostgreSQL and Redis at once.",
            "uWSGI lädt CKAN einmal und teilt sich; alle Prozesse benutzen dann gleichzeitig dieselben Verbindungen.",
        ),
        cost=Text(
            "With several workers requests fail at random.", "Mit mehreren Prozessen scheitern zufällige Anfragen."
        ),
        found=Text("uWSGI without lazy-apps", "uWSGI ohne lazy-apps"),
        cure=Text(
            "The connections are dropped after CKAN was loaded, before the workers are forked.",
            "Die Verbindungen werden geschlossen, nachdem CKAN geladen ist und bevor es sich teilt.",
        ),
        undone=WITH_PACKAGE,
        place=Place.RELEASE,
        where="dcor_runtime/application.py",
        test="tests/system/test_switch.py::test_concurrent_writes_succeed",
    ),
    Entry(
        name="jobs_killed_twice",
        symptom="rq.job.ShutDownImminentException; Cold shut down, in the log of the job workers",
        package="rq",
        since="1.11.0",
        until="",
        cause=Text(
            "RQ takes a second TERM for the wish to kill the job in hand, and supervisor and systemd send several.",
            "RQ versteht ein zweites TERM als Wunsch, den laufenden Job abzubrechen, und supervisor und systemd senden "
            "mehrere.",
        ),
        cost=Text(
            "At a restart condensed files and previews are lost for ever.",
            "Bei einem Neustart gehen condensed-Dateien und Vorschauen für immer verloren.",
        ),
        found=Text(
            "Each night the resources are compared with the objects in the store.",
            "Jede Nacht werden Ressourcen mit den Objekten im Speicher verglichen.",
        ),
        cure=Text(
            "Workers get TERM once; what is killed all the same is queued again, once; at night what is missing is queued.",
            "Jeder Prozess erhält TERM einmal; was dennoch abbricht, wird einmal wiederholt; nachts wird Fehlendes bestellt.",
        ),
        undone=WITH_PACKAGE,
        place=Place.RELEASE,
        where="dcor_runtime/workers.py",
        test="tests/system/test_issues_reproduced.py::test_a_job_is_finished_though_its_worker_gets_term_twice",
    ),
    Entry(
        name="nightly_jobs_of_a_day",
        symptom="404 for GET /dataset/D/resource/R/condensed.rtdc, days after the upload",
        package="ckanext-dc_serve",
        since="0.11.1",
        until="",
        cause=Text(
            "DCOR's nightly commands look at the datasets of the last day only, and RQ remembers a failed job for a year.",
            "DCORs nächtliche Befehle sehen nur Datensätze des letzten Tages an, und RQ merkt sich gescheiterte Jobs lange.",
        ),
        cost=Text(
            "A measurement whose job has failed stays without preview and condensed file.",
            "Eine Messung, deren Job gescheitert ist, bleibt ohne Vorschau und condensed-Datei.",
        ),
        found=Text(
            "Each night the resources are compared with the objects in the store.",
            "Jede Nacht werden Ressourcen mit den Objekten im Speicher verglichen.",
        ),
        cure=Text(
            "`dcor-server nightly` queues the jobs of what a resource lacks, three times a month at most.",
            "`dcor-server nightly` bestellt, was einer Ressource fehlt, höchstens dreimal im Monat.",
        ),
        undone=WITH_UPSTREAM,
        place=Place.VERB,
        where="dcor-server nightly",
        test="tests/system/test_issues_reproduced.py::test_a_measurement_whose_job_failed_days_ago_gets_its_condensed_file",
    ),
)
